"""What retention asks of the catalog, and how the catalog forgets a copy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sesam.catalog.names import refuse_needed
from sesam.catalog.savesets import bury_copy
from sesam.catalog.tables import (
    CopyRow,
    MediumRow,
    PieceRow,
    SavesetClaimRow,
    SavesetRow,
    TombstoneRow,
)
from sesam.errors import NotFound, Protected
from sesam.rules.retention import HeldCopy, Holding
from sesam.terms import CopyState, Level, State

_SHOWN = 4
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A copy that the catalog has forgotten.

    stone   -- number of its tombstone; last -- the saveset's row went with it
    waiting -- its bytes lie in data stores and are still to be removed
    """

    stone: int
    last: bool
    waiting: bool


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """A piece in a data store, of the copy of that number and state."""

    copy: int
    saveset: str
    state: CopyState
    store: str
    key: str
    size_bytes: int


def holdings(*, task: str = "") -> list[Holding]:
    """Return the savesets as retention sees them, oldest first; those of one task."""
    query: Any = CopyRow.select(
        CopyRow.saveset,
        CopyRow.id,
        CopyRow.pool,
        CopyRow.media,
        CopyRow.state,
        CopyRow.eol,
    ).order_by(CopyRow.id)
    rows: Any = SavesetRow.select(
        SavesetRow.id,
        SavesetRow.name,
        SavesetRow.task,
        SavesetRow.level,
        SavesetRow.state,
        SavesetRow.started_at,
        SavesetRow.base,
        SavesetRow.locked,
        SavesetRow.stored_bytes,
    ).order_by(SavesetRow.started_at, SavesetRow.id)
    if task:
        query = query.join(SavesetRow).where(SavesetRow.task == task)
        rows = rows.where(SavesetRow.task == task)
    copies: dict[int, list[HeldCopy]] = {}
    for saveset, number, pool, media, state, eol in query.tuples():
        one = HeldCopy(number, pool, media, CopyState(state), eol)
        copies.setdefault(saveset, []).append(one)
    return [
        Holding(
            name=name,
            task=of_task,
            level=Level(level),
            good=State(state).is_good,
            started_at=started_at,
            base=base,
            locked=locked,
            stored_bytes=size,
            copies=tuple(copies.get(number, ())),
        )
        for number, name, of_task, level, state, started_at, base, locked, size in (
            rows.tuples()
        )
    ]


def set_locked(name: str, locked: bool) -> None:
    """Lock a saveset, or take the lock off. Raises NotFound."""
    if not SavesetRow.update(locked=locked).where(SavesetRow.name == name).execute():
        raise NotFound(f'no saveset "{name}"', hint="sm_backup list")


def set_eol(name: str, eol: date) -> None:
    """Give all copies of a saveset this EOL. Raises NotFound."""
    row = SavesetRow.get_or_none(SavesetRow.name == name)
    if row is None:
        raise NotFound(f'no saveset "{name}"', hint="sm_backup list")
    CopyRow.update(eol=eol).where(CopyRow.saveset == row).execute()


def forget_copy(
    copy_id: int, *, reason: str, now: datetime, expired_on: date | None = None
) -> Forgotten | None:
    """Turn a copy into a tombstone, its saveset with the last one; within `change`.

    expired_on -- forget it only if it is still expired on this backup day
    Returns None where it is forgotten already. Raises Protected where the saveset has
    been locked, got a later EOL, or was built on since that was decided.
    """
    row = CopyRow.get_or_none(CopyRow.id == copy_id)
    if row is None:
        return None
    # Holds the row: who locks the saveset at the same time comes before or after this.
    held = SavesetRow.update(locked=SavesetRow.locked).where(
        SavesetRow.id == row.__data__["saveset"]
    )
    if not held.execute():
        return None
    saveset = row.saveset
    if saveset.locked:
        raise Protected(f'saveset "{saveset.name}" is locked')
    if expired_on is not None and row.eol >= expired_on:
        raise Protected(f'saveset "{saveset.name}" has EOL {row.eol} by now')
    others = CopyRow.select().where(CopyRow.saveset == saveset, CopyRow.id != copy_id)
    last = not others.exists()
    if last:
        builders = SavesetRow.select().where(SavesetRow.base == saveset.name)
        names = [one.name for one in builders.limit(_SHOWN)]
        refuse_needed("saveset", saveset.name, [("saveset", names)])
    on_tape = PieceRow.select().where(PieceRow.copy == row, PieceRow.medium != "")
    done = on_tape.exists()
    stone = bury_copy(copy_id, reason=reason, now=now, done=done)
    return Forgotten(stone, last, waiting=not done)


def prune_tombstones(before: datetime) -> int:
    """Forget tombstones older than `before`; return how many.

    What one of them still waited for is `unknown` once its store is there again.
    """
    old = TombstoneRow.delete().where(TombstoneRow.deleted_at < before)
    return int(old.execute())


def stored_pieces() -> Iterator[StoredPiece]:
    """Yield all pieces that lie in data stores, copy by copy."""
    query: Any = (
        PieceRow.select(
            PieceRow.copy,
            SavesetRow.name,
            CopyRow.state,
            PieceRow.store,
            PieceRow.key,
            PieceRow.size_bytes,
        )
        .join(CopyRow)
        .join(SavesetRow)
        .where(PieceRow.store != "")
        .order_by(PieceRow.copy, PieceRow.position)
    )
    for copy, name, state, store, key, size_bytes in query.tuples().iterator():
        yield StoredPiece(copy, name, CopyState(state), store, key, size_bytes)


def copies_among(numbers: Iterable[int]) -> set[int]:
    """Return those of these copies that the catalog still has."""
    wanted = list(numbers)
    found: set[int] = set()
    for at in range(0, len(wanted), _AT_ONCE):
        query: Any = CopyRow.select(CopyRow.id).where(
            CopyRow.id.in_(wanted[at : at + _AT_ONCE])
        )
        found.update(number for (number,) in query.tuples())
    return found


def protected_media() -> list[str]:
    """Return the labels of the media that are write-protected."""
    query: Any = MediumRow.select(MediumRow.label).where(MediumRow.protected == 1)
    return [label for (label,) in query.tuples()]


def encrypted_savesets() -> set[str]:
    """Return the savesets that an identity alone opens."""
    query: Any = SavesetRow.select(SavesetRow.name, SavesetRow.recipients)
    return {name for name, recipients in query.tuples() if recipients}


def known_places() -> tuple[set[str], set[tuple[str, str]]]:
    """Return which savesets may have bytes where: names for any store, then pairs.

    names -- being written, or on their way out; pairs -- saveset and data store of a
    copy. Asked for in the order in which a saveset moves on, so that none is missed.
    """
    claims: Any = SavesetClaimRow.select(SavesetClaimRow.saveset).tuples()
    names = {name for (name,) in claims}
    copies: Any = CopyRow.select(SavesetRow.name, CopyRow.media).join(SavesetRow)
    pairs = {(name, one) for name, media in copies.tuples() for one in media}
    stones: Any = TombstoneRow.select(TombstoneRow.saveset).where(
        TombstoneRow.done == 0
    )
    names.update(name for (name,) in stones.tuples())
    return names, pairs
