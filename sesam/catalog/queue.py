"""Jobs that wait in the queue for a worker to be started."""

from datetime import datetime, timedelta

from sesam.catalog.fields import literal
from sesam.catalog.jobs import record_of
from sesam.catalog.tables import JobRow
from sesam.rules.records import Job
from sesam.terms import State


def waiting(now: datetime) -> list[tuple[Job, datetime | None]]:
    """Return (job, end of its start window) of those that wait, first come first.

    Those that are not to start before a later moment are left out.
    """
    query = JobRow.select().where(
        JobRow.state == literal(State.QUEUED),
        JobRow.waits == literal(1),
        JobRow.not_before.is_null() | (JobRow.not_before <= now),
    )
    rows = query.order_by(JobRow.priority.desc(), JobRow.queued_at, JobRow.id)
    return [(record_of(row), row.closes_at) for row in rows]


def note_spawned(job_id: int, now: datetime, again_s: float) -> bool:
    """A worker is being started; False where one was within the last `again_s`."""
    long_ago = now - timedelta(seconds=again_s)
    changed = JobRow.update(spawned_at=now).where(
        JobRow.id == job_id,
        JobRow.state == State.QUEUED.value,
        JobRow.spawned_at.is_null() | (JobRow.spawned_at < long_ago),
    )
    return bool(changed.execute())
