"""Occurrences that have ended, and those that wait for the end of their suppressor.

What follows from an end is to be done once, whoever notices it: who changes the row
here does it, in the same transaction.
"""

from datetime import datetime
from typing import Any

from peewee import fn

from sesam.catalog import sheet
from sesam.catalog.fields import literal
from sesam.catalog.sheet import SheetRow
from sesam.catalog.tables import JobRow, OccurrenceRow
from sesam.rules.consequence import CAME_TO_NOTHING
from sesam.terms import State

_SUPPRESSED = "suppressed"
_OPEN = (State.QUEUED.value, State.ACTIVE.value)


def any_(now: datetime) -> bool:
    """Tell whether there is an end that somebody has to see to."""
    return bool(unseen() or fallen_back(now))


def unseen() -> list[SheetRow]:
    """Return the rows of events whose job has ended, and nobody has seen to it."""
    row = OccurrenceRow
    return list(sheet.rows(row.unseen == literal(1), row.state.not_in(_OPEN)))


def see(row: SheetRow) -> bool:
    """This process sees to what follows; False where another one has, or does."""
    changed = OccurrenceRow.update(unseen=False).where(
        OccurrenceRow.id == row.id,
        OccurrenceRow.unseen == 1,
        OccurrenceRow.job == row.job,
        OccurrenceRow.state == row.state,
    )
    return bool(changed.execute())


def again(row: SheetRow, job_id: int, cause: str) -> None:
    """The occurrence of a row is tried once more, by another job."""
    OccurrenceRow.update(
        state=State.QUEUED.value,
        reason="",
        cause=cause,
        job=job_id,
        attempt=row.attempt + 1,
        unseen=True,
    ).where(OccurrenceRow.id == row.id).execute()


def note_cause(row: SheetRow, cause: str) -> None:
    """Add to why the occurrence of a row came to what it is."""
    whole = "; ".join(text for text in (row.cause, cause) if text)
    OccurrenceRow.update(cause=whole).where(OccurrenceRow.id == row.id).execute()


def fallen_back(now: datetime) -> list[SheetRow]:
    """Return the suppressed rows to be decided once more: their suppressor is nothing.

    Those whose window is closed, and those that do not fall back, are not among them.
    """
    row: Any = OccurrenceRow
    other: Any = OccurrenceRow.alias()
    nothing = other.select(other.id).where(
        other.backup_day == row.backup_day,
        other.type == row.type,
        other.object == row.object,
        other.event == row.decided_by,
        other.state.in_(CAME_TO_NOTHING),
        other.unseen == 0,
    )
    return list(
        sheet.rows(
            row.fallback == literal(1),
            row.closes_at >= now,
            row.state == _SUPPRESSED,
            fn.EXISTS(nothing),
        )
    )


def decide_again(old: SheetRow, new: SheetRow) -> bool:
    """Give a suppressed row its new decision; False where another process has."""
    changed = OccurrenceRow.update(
        state=new.state,
        reason=new.reason,
        cause=new.cause,
        decided_by=new.by,
        left_out=new.left_out,
        fallback=new.fallback,
        unseen=new.unseen,
    ).where(
        OccurrenceRow.id == old.id,
        OccurrenceRow.state == _SUPPRESSED,
        OccurrenceRow.decided_by == old.by,
    )
    return bool(changed.execute())


def next_turn(now: datetime) -> datetime | None:
    """Return when the next job that waits for a moment may start, None = none does."""
    query = JobRow.select(JobRow.not_before).where(
        JobRow.state == literal(State.QUEUED),
        JobRow.waits == literal(1),
        JobRow.not_before > now,
    )
    row = query.order_by(JobRow.not_before).first()
    return row.not_before if row else None
