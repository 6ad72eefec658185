"""Taking back what a clock that was ahead has brought into the catalog.

One wrong clock never silences a site: what it decided about times that are still to
come is decided again when they come. What started a job stays: nothing starts twice.
"""

from datetime import date, datetime
from typing import Any

from peewee import fn

from sesam.catalog.tables import EventRow, JobRow, OccurrenceRow, ScheduleRow
from sesam.terms import State


def take_back(now: datetime, today: date) -> int:
    """Take back each row planned after `now` that started no job; return how many.

    today -- the date of `now` in the site's zone
    Events and schedules that hold from later on hold from now; jobs that wait for a
    later moment are to wait no longer. To be called within `change`.
    """
    row = OccurrenceRow
    ahead = (row.start_at > now, row.job.is_null())
    several: Any = row.select(row.event, fn.MIN(row.first_at)).where(
        *ahead, row.first_at.is_null(False)
    )
    firsts = dict(several.group_by(row.event).tuples())
    gone = row.delete().where(*ahead).execute()
    for table in (EventRow, ScheduleRow):
        table.update(since=now).where(table.since > now).execute()
    ScheduleRow.update(added_on=today).where(ScheduleRow.added_on > today).execute()
    EventRow.update(next_at=now).where(
        EventRow.schedule.is_null(False),
        EventRow.next_at.is_null() | (EventRow.next_at > now),
    ).execute()
    # What one row stood for began earlier: it is found anew.
    for name, first in firsts.items():
        again = EventRow.update(next_at=first)
        again.where(EventRow.name == name, EventRow.next_at > first).execute()
    queued = JobRow.state == State.QUEUED.value
    JobRow.update(not_before=None).where(queued, JobRow.not_before > now).execute()
    JobRow.update(spawned_at=None).where(queued, JobRow.spawned_at > now).execute()
    return int(gone)
