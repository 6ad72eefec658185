"""The calendar sheet: one row for each occurrence, with its state and its reason."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from peewee import IntegrityError

from sesam.catalog.tables import OccurrenceRow, database
from sesam.rules.decision import EventType, Occurrence
from sesam.terms import State

PLANNED, SKIPPED, EXPIRED, OFF = "planned", "skipped", "expired", "off"
_OPEN = ("planned", "queued", "active")


class SheetRow(NamedTuple):
    """A row of the sheet.

    event, schedule -- "" for a start by hand without one
    state  -- as sepuler(8) has them; by -- event that suppresses or blocks
    stands_for -- how many occurrences it is
    """

    event: str
    type: EventType
    object: str
    group: str
    schedule: str
    backup_day: date
    start_at: datetime
    closes_at: datetime | None
    priority: int
    blocking: bool
    level: str
    state: str
    reason: str = ""
    by: str = ""
    job: int | None = None
    stands_for: int = 1

    def occurrence(self) -> Occurrence:
        """Return it as the rules compare it."""
        return Occurrence(
            self.event,
            self.type,
            self.object,
            self.schedule,
            self.start_at,
            self.priority,
            self.blocking,
            past=True,
        )


def post(row: SheetRow) -> bool:
    """Add a row; False where that occurrence is in the sheet already.

    To be called within `change`.
    """
    try:
        with database.atomic():
            OccurrenceRow.create(
                event=row.event,
                type=row.type.value,
                object=row.object,
                task_group=row.group,
                schedule=row.schedule,
                backup_day=row.backup_day,
                start_at=row.start_at,
                closes_at=row.closes_at,
                priority=row.priority,
                blocking=row.blocking,
                level=row.level,
                state=row.state,
                reason=row.reason,
                decided_by=row.by,
                job=row.job,
                count=row.stands_for,
            )
    except IntegrityError:
        return False
    return True


def link(row: SheetRow, job_id: int) -> None:
    """The occurrence of a row has a job."""
    OccurrenceRow.update(job=job_id).where(
        OccurrenceRow.event == row.event,
        OccurrenceRow.object == row.object,
        OccurrenceRow.start_at == row.start_at,
    ).execute()


def note_job(job_id: int, state: State, reason: str = "") -> None:
    """The job of an occurrence has come so far: so has the occurrence."""
    OccurrenceRow.update(state=state.value, reason=reason).where(
        OccurrenceRow.job == job_id, OccurrenceRow.state.in_(_OPEN)
    ).execute()


def note_worse(job_id: int, state: State, reason: str) -> None:
    """The job of an occurrence that had ended ends worse."""
    OccurrenceRow.update(state=state.value, reason=reason).where(
        OccurrenceRow.job == job_id
    ).execute()


def note_expired(job_id: int, reason: str) -> None:
    """The job of an occurrence did not leave the queue in time."""
    OccurrenceRow.update(state=EXPIRED, reason=reason).where(
        OccurrenceRow.job == job_id
    ).execute()


def of_day(day: date, keys: Iterable[tuple[EventType, str]] = ()) -> list[SheetRow]:
    """Return the rows of a backup day, in order; keys -- of these alone."""
    wanted = set(keys)
    found = list(_rows(OccurrenceRow.backup_day == day))
    return [one for one in found if not wanted or (one.type, one.object) in wanted]


def between(first: date, last: date) -> list[SheetRow]:
    """Return the rows of the backup days `first` to `last`, in order."""
    return list(_rows(OccurrenceRow.backup_day.between(first, last)))


def queued_objects(event: str) -> set[str]:
    """Return the objects for which a job of an event waits in the queue."""
    query = OccurrenceRow.select(OccurrenceRow.object).where(
        OccurrenceRow.event == event, OccurrenceRow.state == State.QUEUED.value
    )
    return {row.object for row in query}


def _rows(*conditions: Any) -> Iterable[SheetRow]:
    order: Sequence[Any] = (
        OccurrenceRow.start_at,
        OccurrenceRow.event,
        OccurrenceRow.object,
        OccurrenceRow.id,
    )
    for row in OccurrenceRow.select().where(*conditions).order_by(*order):
        yield SheetRow(
            event=row.event,
            type=EventType(row.type),
            object=row.object,
            group=row.task_group,
            schedule=row.schedule,
            backup_day=row.backup_day,
            start_at=row.start_at,
            closes_at=row.closes_at,
            priority=row.priority,
            blocking=row.blocking,
            level=row.level,
            state=row.state,
            reason=row.reason,
            by=row.decided_by,
            job=row.job,
            stands_for=row.count,
        )
