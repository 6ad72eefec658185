"""What the catalog need not keep for ever: rows of the sheet, notices, old alarms."""

from datetime import date, datetime
from typing import Any

from sesam.catalog.db import Catalog
from sesam.catalog.tables import AlarmRow, JobRow, NoticeRow, OccurrenceRow
from sesam.terms import State

_AT_ONCE = 1000
_OPEN = (State.QUEUED.value, State.ACTIVE.value)


def old_rows(before: date) -> int:
    """Return how many rows of the calendar sheet lie before a backup day."""
    return int(OccurrenceRow.select().where(*_of_sheet(before)).count())


def prune_sheet(catalog: Catalog, before: date) -> int:
    """Forget them, in short transactions; return how many."""
    gone = 0
    while step := _delete(catalog, OccurrenceRow, *_of_sheet(before)):
        gone += step
    return gone


def prune_notices(catalog: Catalog, before: datetime) -> None:
    """Forget notices that were told, and alarms that were over, by then."""
    done = NoticeRow.due_at.is_null(), NoticeRow.posted_at < before
    while _delete(catalog, NoticeRow, *done):
        pass
    over = AlarmRow.over_at.is_null(False), AlarmRow.over_at < before
    while _delete(catalog, AlarmRow, *over):
        pass


def days_with_open_jobs() -> set[date]:
    """Return the backup days of jobs that have not ended."""
    query = JobRow.select(JobRow.backup_day).where(JobRow.state.in_(_OPEN)).distinct()
    return {row.backup_day for row in query}


def _of_sheet(before: date) -> tuple[Any, ...]:
    still = ("planned", *_OPEN)
    return OccurrenceRow.backup_day < before, OccurrenceRow.state.not_in(still)


def _delete(catalog: Catalog, row: Any, *conditions: Any) -> int:
    with catalog.change():
        some = [one.id for one in row.select(row.id).where(*conditions).limit(_AT_ONCE)]
        return int(row.delete().where(row.id.in_(some)).execute()) if some else 0
