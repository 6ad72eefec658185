"""The calendar sheet: one row for each occurrence, with its state and its reason."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sesam.catalog import quick
from sesam.catalog.tables import OccurrenceRow
from sesam.rules.decision import EventType, Occurrence
from sesam.terms import State

PLANNED, SKIPPED, EXPIRED, OFF = "planned", "skipped", "expired", "off"
_OPEN = ("planned", "queued", "active")
_ANY_OF_KEY = (
    "SELECT 1 FROM occurrence WHERE backup_day = ? AND type = ? AND object = ? LIMIT 1"
)
_ANY_QUEUED = (
    "SELECT 1 FROM occurrence"
    " WHERE event = ? AND object = ? AND state = 'queued' LIMIT 1"
)
_MOMENT = timedelta(microseconds=1)


class SheetRow(NamedTuple):
    """A row of the sheet.

    event, schedule -- "" for a start by hand without one
    state  -- as sepuler(8) has them; by -- event that suppresses or blocks
    stands_for -- how many occurrences it is; first_at -- the first of several
    cause -- why it started, or was decided again; reason -- why it ended so
    attempt -- how often its job was queued again
    fallback -- it is decided once more where its suppressor comes to nothing
    left_out -- the suppressors that did; unseen -- follow-ups and retries are to come
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
    first_at: datetime | None = None
    cause: str = ""
    attempt: int = 0
    fallback: bool = False
    left_out: tuple[str, ...] = ()
    unseen: bool = False
    id: int = 0

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

    @property
    def why(self) -> str:
        """Why it started, and why it ended as it did."""
        return "; ".join(text for text in (self.cause, self.reason) if text)


def post(row: SheetRow) -> int:
    """Add a row; return its number, 0 where that occurrence is in the sheet already.

    To be called within `change`.
    """
    return quick.insert(OccurrenceRow, _values(row), unless_there=True)


def post_start(row: SheetRow) -> int:
    """Add the row of an immediate start, a moment later where there is one already."""
    while not (number := post(row)):
        row = row._replace(start_at=row.start_at + _MOMENT)
    return number


def link(number: int, job_id: int) -> None:
    """The occurrence of a row has a job."""
    quick.run("UPDATE occurrence SET job_id = ? WHERE id = ?", job_id, number)


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


def of_key(day: date, key: tuple[EventType, str]) -> list[SheetRow]:
    """Return the equal rows of a backup day, in order."""
    kind, name = key
    if not quick.run(_ANY_OF_KEY, day.isoformat(), kind.value, name).fetchall():
        return []
    return list(
        rows(
            OccurrenceRow.backup_day == day,
            OccurrenceRow.type == kind.value,
            OccurrenceRow.object == name,
        )
    )


def between(first: date, last: date) -> list[SheetRow]:
    """Return the rows of the backup days `first` to `last`, in order."""
    return list(rows(OccurrenceRow.backup_day.between(first, last)))


def of_job(job_id: int) -> SheetRow | None:
    """Return the row whose latest job this is, None where there is none."""
    return next(rows(OccurrenceRow.job == job_id), None)


def is_queued(event: str, name: str) -> bool:
    """Tell whether a job of an event waits in the queue for an object."""
    return bool(quick.run(_ANY_QUEUED, event, name).fetchall())


def count_of(event: str, name: str, first: datetime, end: datetime) -> int:
    """Return how many planned starts of an event and object have a row, in a span."""
    query = OccurrenceRow.select().where(
        OccurrenceRow.event == event,
        OccurrenceRow.object == name,
        OccurrenceRow.schedule != "",
        OccurrenceRow.start_at >= first,
        OccurrenceRow.start_at < end,
    )
    return int(query.count())


def rows(*conditions: Any) -> Iterator[SheetRow]:
    """Yield the rows that meet conditions of this room, in order."""
    query = OccurrenceRow.select().where(*conditions)
    order = (
        OccurrenceRow.start_at,
        OccurrenceRow.event,
        OccurrenceRow.object,
        OccurrenceRow.id,
    )
    return map(_record, query.order_by(*order))


def _record(row: Any) -> SheetRow:
    return SheetRow(
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
        first_at=row.first_at,
        cause=row.cause,
        attempt=row.attempt,
        fallback=row.fallback,
        left_out=row.left_out,
        unseen=row.unseen,
        id=row.id,
    )


def _values(row: SheetRow) -> dict[str, object]:
    values = row._asdict()
    del values["id"]
    values["type"] = row.type.value
    values["task_group"] = values.pop("group")
    values["decided_by"] = values.pop("by")
    values["count"] = values.pop("stands_for")
    return values
