"""Savesets, their copies and pieces: made visible in one transaction, or not at all."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sesam.catalog.saveset_claims import close_claim
from sesam.catalog.tables import CopyRow, PieceRow, SavesetRow, TombstoneRow
from sesam.errors import NotFound
from sesam.rules.records import Copy, Saveset
from sesam.terms import CopyState, Level, Piece, Place, State

_PLACE = ("store", "key", "medium", "file", "block")
_AT_ONCE = 100


def commit_saveset(saveset: Saveset, copy: Copy, job_id: int | None) -> None:
    """Make a saveset and its first copy visible; to be called within `change`.

    All parts are durable when this is called, the manifest included. The claim of the
    saveset is closed in the same transaction.
    """
    row = SavesetRow.create(
        name=saveset.name,
        task=saveset.task,
        client=saveset.client,
        level=saveset.level.value,
        base=saveset.base,
        state=saveset.state.value,
        backup_day=saveset.backup_day,
        started_at=saveset.started_at,
        ended_at=saveset.ended_at,
        format=saveset.format,
        files=saveset.files,
        changed=saveset.changed,
        deleted=saveset.deleted,
        bytes=saveset.bytes,
        stored_bytes=saveset.stored_bytes,
        warnings=saveset.warnings,
        recipients=saveset.recipients,
        source_digest=saveset.source_digest,
        locked=saveset.locked,
        job=job_id,
    )
    copy_row = CopyRow.create(
        saveset=row,
        pool=copy.pool,
        state=copy.state.value,
        eol=copy.eol,
        retention_days=copy.retention_days,
        written_at=copy.written_at,
        media=copy.media,
    )
    rows = [_piece_values(copy_row.id, *one) for one in enumerate(copy.pieces)]
    for at in range(0, len(rows), _AT_ONCE):
        PieceRow.insert_many(rows[at : at + _AT_ONCE]).execute()
    close_claim(saveset.name)


def get_saveset(name: str) -> Saveset:
    """Return a saveset, its copies without their pieces. Raises NotFound."""
    row = SavesetRow.get_or_none(SavesetRow.name == name)
    if row is None:
        raise NotFound(f'no saveset "{name}"', hint="sm_backup list")
    copies = CopyRow.select().where(CopyRow.saveset == row).order_by(CopyRow.id)
    return _record(row, [_copy(one) for one in copies])


def list_savesets(*, task: str = "", day: date | None = None) -> list[Saveset]:
    """Return savesets, oldest first, their copies without pieces."""
    conditions = []
    if task:
        conditions.append(SavesetRow.task == task)
    if day is not None:
        conditions.append(SavesetRow.backup_day == day)
    return records_of(*conditions)


def records_of(*conditions: Any) -> list[Saveset]:
    """Return the savesets whose rows meet all conditions, oldest first."""
    query = SavesetRow.select().order_by(SavesetRow.started_at, SavesetRow.id)
    copies = CopyRow.select().order_by(CopyRow.id)
    if conditions:
        query = query.where(*conditions)
        copies = copies.where(CopyRow.saveset.in_(query.clone().select(SavesetRow.id)))
    by_saveset: dict[int, list[Copy]] = {}
    # Plain rows cost half of what models do, and there may be very many.
    plain: Any = copies.namedtuples()
    for one in plain:
        by_saveset.setdefault(one.saveset, []).append(_copy(one))
    return [_record(row, by_saveset.get(row.id, [])) for row in query.namedtuples()]


def newest_good(
    task: str, *, until: datetime | None = None, levels: Sequence[Level] = tuple(Level)
) -> Saveset | None:
    """Return the newest good saveset of a task that started at or before `until`."""
    good = [state.value for state in State if state.is_good]
    query = SavesetRow.select().where(
        SavesetRow.task == task,
        SavesetRow.state.in_(good),
        SavesetRow.level.in_([level.value for level in levels]),
    )
    if until is not None:
        query = query.where(SavesetRow.started_at <= until)
    row = query.order_by(SavesetRow.started_at.desc(), SavesetRow.id.desc()).first()
    return None if row is None else get_saveset(row.name)


def pieces_of(copy_id: int) -> tuple[Piece, ...]:
    """Return the pieces of a copy in the order of writing."""
    return pieces_of_all([copy_id])[copy_id]


def pieces_of_all(copy_ids: Sequence[int]) -> dict[int, tuple[Piece, ...]]:
    """Return the pieces of copies, each copy's in the order of writing."""
    found: dict[int, list[Piece]] = {one: [] for one in copy_ids}
    for at in range(0, len(copy_ids), _AT_ONCE):
        some = PieceRow.copy.in_(copy_ids[at : at + _AT_ONCE])
        query = PieceRow.select().where(some).order_by(PieceRow.copy, PieceRow.position)
        plain: Any = query.namedtuples()
        for row in plain:
            found[row.copy].append(_piece(row))
    return {one: tuple(pieces) for one, pieces in found.items()}


def set_copy_state(copy_id: int, state: CopyState) -> None:
    """Change the state of a copy."""
    CopyRow.update(state=state.value).where(CopyRow.id == copy_id).execute()


def bury_copy(copy_id: int, *, reason: str, now: datetime, done: bool = False) -> int:
    """Turn the row of a copy into a tombstone; return its number.

    done -- there are no bytes to be removed: a tape is written anew one day
    The last copy takes the row of its saveset along. Bytes are removed after this was
    committed, and `close_tombstone` then says so.
    """
    row = CopyRow.get_by_id(copy_id)
    saveset = row.saveset
    stone = TombstoneRow.create(
        saveset=saveset.name,
        pool=row.pool,
        media=row.media,
        reason=reason,
        deleted_at=now,
        done=done,
    )
    PieceRow.delete().where(PieceRow.copy == row).execute()
    row.delete_instance()
    if not CopyRow.select().where(CopyRow.saveset == saveset).exists():
        saveset.delete_instance()
    return int(stone.id)


def open_tombstones() -> list[tuple[int, str, tuple[str, ...]]]:
    """Return (number, saveset, media) of what is forgotten but not yet removed."""
    query = TombstoneRow.select().where(TombstoneRow.done == 0)
    rows = query.order_by(TombstoneRow.id)
    return [(row.id, row.saveset, row.media) for row in rows]


def close_tombstone(number: int) -> None:
    """The bytes are gone."""
    TombstoneRow.update(done=True).where(TombstoneRow.id == number).execute()


def is_known(name: str) -> bool:
    """Tell whether the catalog has a saveset of that name."""
    return bool(SavesetRow.select().where(SavesetRow.name == name).exists())


def _record(row: Any, copies: Sequence[Copy]) -> Saveset:
    return Saveset(
        name=row.name,
        task=row.task,
        client=row.client,
        level=Level(row.level),
        state=State(row.state),
        backup_day=row.backup_day,
        started_at=row.started_at,
        ended_at=row.ended_at,
        format=row.format,
        base=row.base,
        files=row.files,
        changed=row.changed,
        deleted=row.deleted,
        bytes=row.bytes,
        stored_bytes=row.stored_bytes,
        warnings=row.warnings,
        recipients=row.recipients,
        source_digest=row.source_digest,
        locked=row.locked,
        copies=tuple(copies),
    )


def _copy(row: Any) -> Copy:
    return Copy(
        id=row.id,
        pool=row.pool,
        state=CopyState(row.state),
        eol=row.eol,
        retention_days=row.retention_days,
        written_at=row.written_at,
        media=row.media,
    )


def _piece(row: Any) -> Piece:
    place = Place(**{name: getattr(row, name) for name in _PLACE})
    return Piece(row.part, row.number, place, row.size_bytes, row.digest)


def _piece_values(copy_id: int, position: int, piece: Piece) -> dict[str, object]:
    values = {name: getattr(piece.place, name) for name in _PLACE}
    return {
        "copy": copy_id,
        "position": position,
        "part": piece.part,
        "number": piece.number,
        "size_bytes": piece.size_bytes,
        "digest": piece.digest,
        **values,
    }
