"""Savesets as rows: what a list shows, without opening any of them."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sesam.catalog.retention import holdings
from sesam.catalog.savesets import get_saveset
from sesam.errors import NotFound
from sesam.rules.records import Copy, Saveset
from sesam.rules.retention import effective_eols
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


def rows_of(savesets: Iterable[Saveset], *, task: str = "") -> Iterator[dict[str, Any]]:
    """Yield the rows of savesets; task -- all of them are of this task."""
    eols = effective_eols(holdings(task=task))
    return (row_of(one, eols.get(one.name)) for one in savesets)


def row_named(name: str) -> dict[str, Any]:
    """Return the row of one saveset. Raises NotFound."""
    saveset = get_saveset(name)
    (row,) = rows_of([saveset], task=saveset.task)
    return row


def row_of(saveset: Saveset, eol: date | None) -> dict[str, Any]:
    """Return the row of a saveset as `sm_backup list` has it; eol -- the effective."""
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
        "eol": eol,
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
