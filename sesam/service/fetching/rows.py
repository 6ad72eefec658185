"""Savesets as rows: what a list shows, without opening any of them."""

from typing import Any

from sesam.errors import NotFound
from sesam.rules.records import Copy, Saveset
from sesam.terms import CopyState

KEYS = (
    "saveset",
    "task",
    "client",
    "level",
    "base",
    "state",
    "backup_day",
    "started_at",
    "ended_at",
    "files",
    "bytes",
    "stored_bytes",
    "pool",
    "media",
    "eol",
    "locked",
    "copies",
)


def row_of(saveset: Saveset) -> dict[str, Any]:
    """Return the row of a saveset as `sm_backup list` has it."""
    copy = best_copy(saveset) if saveset.copies else None
    return {
        "saveset": saveset.name,
        "task": saveset.task,
        "client": saveset.client,
        "level": saveset.level.value,
        "base": saveset.base or None,
        "state": saveset.state.value,
        "backup_day": saveset.backup_day,
        "started_at": saveset.started_at,
        "ended_at": saveset.ended_at,
        "files": saveset.files,
        "bytes": saveset.bytes,
        "stored_bytes": saveset.stored_bytes,
        "pool": copy.pool if copy else None,
        "media": list(copy.media) if copy else [],
        "eol": max((one.eol for one in saveset.copies), default=None),
        "locked": saveset.locked,
        "copies": len(saveset.copies),
    }


def best_copy(saveset: Saveset) -> Copy:
    """Return the copy that a restore reads first. Raises NotFound without any."""
    rank = {CopyState.OK: 0, CopyState.DAMAGED: 1, CopyState.MISSING: 2}
    copies = sorted(saveset.copies, key=lambda one: (rank.get(one.state, 3), one.id))
    if not copies:
        raise NotFound(f'saveset "{saveset.name}" has no copy')
    return copies[0]
