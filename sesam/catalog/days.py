"""Backup days: which are closed, which are final, and what happened on them."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from peewee import IntegrityError, fn

from sesam.catalog.jobs import record_of
from sesam.catalog.tables import (
    ClosedDayRow,
    JobRow,
    OccurrenceRow,
    SavesetRow,
    database,
)
from sesam.rules.records import Job
from sesam.terms import State

_OPEN = (State.QUEUED.value, State.ACTIVE.value)


def last_closed() -> date | None:
    """Return the latest backup day that is closed."""
    found: date | None = (
        ClosedDayRow.select(ClosedDayRow.day).order_by(ClosedDayRow.day.desc()).scalar()
    )
    return found


def days_with_rows(after: date | None, before: date) -> list[date]:
    """Return the backup days between two that have jobs or occurrences, in order."""
    found: set[date] = set()
    for row in (JobRow, OccurrenceRow):
        query = row.select(row.backup_day).where(row.backup_day < before).distinct()
        if after is not None:
            query = query.where(row.backup_day > after)
        found.update(one.backup_day for one in query)
    return sorted(found)


def close(day: date, now: datetime, summary: Mapping[str, Any]) -> bool:
    """Close a backup day; within `change`. False where it is closed already."""
    try:
        with database.atomic():
            ClosedDayRow.create(day=day, closed_at=now, summary=dict(summary))
    except IntegrityError:
        return False
    return True


def finish(day: date, now: datetime, summary: Mapping[str, Any]) -> None:
    """The last job of a closed day has ended; within `change`."""
    ClosedDayRow.update(final_at=now, summary=dict(summary)).where(
        ClosedDayRow.day == day, ClosedDayRow.final_at.is_null()
    ).execute()


def not_final() -> list[tuple[date, dict[str, Any]]]:
    """Return (day, summary) of the closed days that are not final."""
    rows = ClosedDayRow.select().where(ClosedDayRow.final_at.is_null())
    return [(row.day, row.summary) for row in rows.order_by(ClosedDayRow.day)]


def list_days(limit: int) -> list[dict[str, Any]]:
    """Return the latest closed days as rows, in order."""
    rows = ClosedDayRow.select().order_by(ClosedDayRow.day.desc()).limit(limit)
    return [
        {
            "backup_day": row.day,
            "state": "final" if row.final_at else "closed",
            "closed_at": row.closed_at,
            "final_at": row.final_at,
            **row.summary,
        }
        for row in rows
    ][::-1]


def open_jobs(day: date) -> int:
    """Return how many jobs of a backup day have not ended."""
    query = JobRow.select().where(JobRow.backup_day == day, JobRow.state.in_(_OPEN))
    return int(query.count())


def jobs_of(day: date) -> list[Job]:
    """Return the jobs of a backup day by number."""
    query = JobRow.select().where(JobRow.backup_day == day).order_by(JobRow.id)
    return [record_of(row) for row in query]


def occurrences_of(day: date) -> dict[str, int]:
    """Return how many occurrences of a backup day are in which state."""
    query: Any = OccurrenceRow.select(OccurrenceRow.state, OccurrenceRow.count).where(
        OccurrenceRow.backup_day == day
    )
    found: Counter[str] = Counter()
    for state, count in query.tuples():
        found[state] += count
    return dict(sorted(found.items()))


def savesets_of(day: date) -> tuple[int, int]:
    """Return (number, stored bytes) of the savesets of a backup day."""
    query: Any = SavesetRow.select(
        fn.COUNT(SavesetRow.id), fn.COALESCE(fn.SUM(SavesetRow.stored_bytes), 0)
    ).where(SavesetRow.backup_day == day)
    count, size = query.tuples().get()
    return int(count), int(size)
