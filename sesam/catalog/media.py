"""Media in the catalog: labelled tapes, what is on them, where they were seen last."""

from datetime import datetime
from typing import Any

from peewee import fn

from sesam.catalog.names import find
from sesam.catalog.tables import CopyRow, MediaPoolRow, MediumRow, PieceRow
from sesam.errors import Conflict, NotFound
from sesam.rules.records import Medium
from sesam.terms import MediumKind


def list_media(*, pool: str = "") -> list[Medium]:
    """Return the media by label, those of one pool alone if it is named."""
    query = MediumRow.select().join(MediaPoolRow).order_by(MediumRow.label)
    if pool:
        query = query.where(MediaPoolRow.name == pool)
    facts = _facts()
    return [_record(row, *facts.get(row.label, (0, None))) for row in query]


def get_medium(label: str) -> Medium:
    """Return a medium. Raises NotFound."""
    for one in list_media():
        if one.label == label:
            return one
    raise NotFound(f'no medium "{label}"', hint="sm_media list")


def add_medium(medium: Medium, now: datetime) -> None:
    """Add a medium that was labelled just now. Raises Conflict, NotFound."""
    if MediumRow.get_or_none(MediumRow.label == medium.label) is not None:
        raise Conflict(f'medium "{medium.label}" exists already')
    MediumRow.create(
        label=medium.label,
        pool=find(MediaPoolRow, "media pool", medium.pool),
        kind=medium.kind.value,
        barcode=medium.barcode,
        state=medium.state,
        loader=medium.loader,
        slot=medium.slot,
        drive=medium.drive,
        used_bytes=medium.used_bytes,
        capacity_bytes=medium.capacity_bytes,
        files=medium.files,
        is_full=medium.full,
        protected=medium.protected,
        written_at=now,
    )


def put_where(label: str, *, loader: str, slot: int, drive: str) -> None:
    """Record where a medium is now; slot 0 and drive "" where it is in none."""
    MediumRow.update(loader=loader, slot=slot, drive=drive).where(
        MediumRow.label == label
    ).execute()


def put_written(
    label: str, *, files: int, more_bytes: int, full: bool, now: datetime
) -> None:
    """Record what has been written onto a medium."""
    MediumRow.update(
        files=files,
        used_bytes=MediumRow.used_bytes + more_bytes,
        is_full=full,
        written_at=now,
    ).where(MediumRow.label == label).execute()


def remove_medium(label: str) -> None:
    """Forget a medium: it is about to be labelled anew."""
    MediumRow.delete().where(MediumRow.label == label).execute()


def _facts() -> dict[str, tuple[int, Any]]:
    """Return by label the number of savesets on a medium, and their latest EOL."""
    query: Any = (
        PieceRow.select(
            PieceRow.medium,
            fn.COUNT(CopyRow.saveset.distinct()),
            fn.MAX(CopyRow.eol),
        )
        .join(CopyRow)
        .where(PieceRow.medium != "")
        .group_by(PieceRow.medium)
        .tuples()
    )
    return {label: (count, eol) for label, count, eol in query}


def _record(row: Any, savesets: int, eol: Any) -> Medium:
    return Medium(
        label=row.label,
        pool=row.pool.name,
        kind=MediumKind(row.kind),
        barcode=row.barcode,
        state=row.state,
        loader=row.loader,
        slot=row.slot,
        drive=row.drive,
        used_bytes=row.used_bytes,
        capacity_bytes=row.capacity_bytes,
        files=row.files,
        full=row.is_full,
        protected=row.protected,
        eol=eol,
        savesets=savesets,
    )
