"""Jobs: rows that one worker at a time moves on, under its fence."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from peewee import IntegrityError

from sesam.catalog import notices, quick, sheet
from sesam.catalog.db import Catalog
from sesam.catalog.fields import literal
from sesam.catalog.tables import JobRow
from sesam.errors import OK, WARNINGS, Busy, NotFound, RequestError, SesamError
from sesam.rules.records import Job, Owner, Waits
from sesam.terms import State

LEASE_S = 60.0
# Of a job that was told to stop, as of a command that Ctrl-C ends.
CANCELLED = 130
_EXIT_CODES = {
    State.OK: OK,
    State.WARNING: WARNINGS,
    State.ERROR: SesamError.exit_code,
    State.CANCELLED: CANCELLED,
}


def enqueue(
    kind: str,
    name: str,
    *,
    backup_day: date,
    now: datetime,
    priority: int = 1,
    request: Mapping[str, Any] | None = None,
    waits: Waits | None = None,
) -> Job:
    """Add a queued job; kind -- `backup`, `restore`, `verify`; name -- its object.

    request -- what it is told, as JSON values
    waits -- how it waits for a worker; None = who adds it has one for it
    """
    values: dict[str, Any] = {
        "type": kind,
        "object": name,
        "state": State.QUEUED.value,
        "priority": priority,
        "backup_day": backup_day,
        "queued_at": now,
        "worker": "",
        "fence": 0,
        "message": waits.message if waits else "",
        "log": "",
        "result": {},
        "request": dict(request or {}),
        "told_to_stop": False,
        "waits": waits is not None,
        "closes_at": waits.closes_at if waits else None,
        "not_before": waits.not_before if waits else None,
    }
    row = JobRow(id=quick.insert(JobRow, values), **values)
    return record_of(row)


def start(
    catalog: Catalog,
    job_id: int,
    owner: Owner,
    *,
    clock: Callable[[], datetime],
    log: str,
) -> Job:
    """Make a queued job active under `owner`. Raises NotFound, Busy, RequestError.

    Busy says that the same object is being worked on by another job.
    """
    try:
        with catalog.change():
            lease_until = catalog.now() + timedelta(seconds=LEASE_S)
            done = (
                JobRow.update(
                    state=State.ACTIVE.value,
                    worker=str(owner),
                    fence=JobRow.fence + 1,
                    lease_until=lease_until,
                    log=log,
                )
                .where(JobRow.id == job_id, JobRow.state == State.QUEUED.value)
                .execute()
            )
            # Until here it may have waited for a job of the same object to end: read
            # before, its start and its saveset's would lie before that job's end.
            if done:
                began = JobRow.update(started_at=clock())
                began.where(JobRow.id == job_id).execute()
            job = get_job(job_id)
            if done:
                sheet.note_job(job_id, State.ACTIVE)
    except IntegrityError as error:
        raise _taken(job_id) from error
    if not done:
        raise RequestError(f"job {job_id} is {job.state} already")
    return job


def renew(catalog: Catalog, job: Job) -> bool:
    """Extend the lease of an active job; False when another owner has taken it."""
    lease_until = catalog.now() + timedelta(seconds=LEASE_S)
    with catalog.change():
        return bool(JobRow.update(lease_until=lease_until).where(*mine(job)).execute())


def finish(
    job: Job,
    state: State,
    *,
    now: datetime,
    message: str,
    result: dict[str, Any],
    exit_code: int | None = None,
) -> None:
    """End a job; to be called within `change`, together with what it brought about.

    exit_code -- that its command ends with; None = what the state says. A job that was
    told to stop, and did, ends with CANCELLED whatever signal told it.
    Raises Busy when the job has been taken from its worker: nothing must be kept then.
    """
    if exit_code is None or (state is State.CANCELLED and is_told_to_stop(job.id)):
        exit_code = _EXIT_CODES[state]
    done = (
        JobRow.update(
            state=state.value,
            ended_at=now,
            message=message,
            result=result,
            exit_code=exit_code,
            lease_until=None,
        )
        .where(*mine(job))
        .execute()
    )
    if not done:
        raise Busy(f"job {job.id} was taken from this worker")
    sheet.note_job(job.id, state, "" if state is State.OK else message)
    notices.job_ended(job, state, now)


def worsen(job_id: int, state: State, message: str) -> None:
    """An ended job did not end so well after all: its post script failed."""
    JobRow.update(state=state.value, message=message).where(
        JobRow.id == job_id
    ).execute()
    sheet.note_worse(job_id, state, message)


def get_job(job_id: int) -> Job:
    """Return a job. Raises NotFound."""
    row = JobRow.get_or_none(JobRow.id == job_id)
    if row is None:
        raise NotFound(f"no job {job_id}", hint="sm_job list")
    return record_of(row)


def list_jobs(
    *,
    state: State | None = None,
    kind: str = "",
    day: date | None = None,
    limit: int = 0,
) -> list[Job]:
    """Return jobs by number, of one state, type, day; `limit` keeps the newest."""
    query = JobRow.select().order_by(JobRow.id.desc())
    if state is not None:
        query = query.where(JobRow.state == state.value)
    if kind:
        query = query.where(JobRow.type == kind)
    if day is not None:
        query = query.where(JobRow.backup_day == day)
    if limit:
        query = query.limit(limit)
    return [record_of(row) for row in query][::-1]


def active_jobs() -> list[Job]:
    """Return the jobs that have a worker."""
    query = JobRow.select().where(JobRow.state == literal(State.ACTIVE))
    return [record_of(row) for row in query.order_by(JobRow.id)]


def end_queued(
    job_id: int, state: State, *, now: datetime, message: str, exit_code: int
) -> bool:
    """End a job that has not begun; False when it has, or has ended."""
    changed = JobRow.update(
        state=state.value, ended_at=now, message=message, exit_code=exit_code
    ).where(JobRow.id == job_id, JobRow.state == State.QUEUED.value)
    if not changed.execute():
        return False
    sheet.note_job(job_id, state, message)
    notices.job_ended(get_job(job_id), state, now)
    return True


def tell_to_stop(job_id: int) -> bool:
    """Tell the worker of an active job to stop; False where there is none (any more).

    A worker on another machine learns it when it renews its lease.
    """
    changed = JobRow.update(told_to_stop=True).where(
        JobRow.id == job_id, JobRow.state == State.ACTIVE.value
    )
    return bool(changed.execute())


def is_told_to_stop(job_id: int) -> bool:
    """Tell whether somebody wants the job to end."""
    query = JobRow.select().where(JobRow.id == job_id, JobRow.told_to_stop == 1)
    return bool(query.exists())


def note_request(job_id: int, **more: Any) -> None:
    """Add to what a job was told: what became clear when it ran."""
    row = JobRow.get_by_id(job_id)
    JobRow.update(request={**row.request, **more}).where(JobRow.id == job_id).execute()


def owner_of(text: str) -> Owner | None:
    """Return the owner that `str(owner)` was."""
    try:
        host, boot, pid, started = text.split("/")
        return Owner(host, boot, int(pid), int(started))
    except ValueError:
        return None


def exit_code(job: Job) -> int:
    """Return the exit code of an ended job, for one without by its state."""
    return _EXIT_CODES[job.state] if job.exit_code is None else job.exit_code


def is_mine(job: Job) -> bool:
    """Tell whether a job is active still, under the owner and fence of this record."""
    return bool(JobRow.select().where(*mine(job)).exists())


def mine(job: Job) -> tuple[Any, ...]:
    """Return the conditions under which a job is still this worker's."""
    return (
        JobRow.id == job.id,
        JobRow.worker == job.worker,
        JobRow.fence == job.fence,
        JobRow.state == State.ACTIVE.value,
    )


def _taken(job_id: int) -> Busy:
    job = get_job(job_id)
    other = JobRow.get_or_none(
        JobRow.type == job.type,
        JobRow.object == job.object,
        JobRow.state == State.ACTIVE.value,
    )
    by = f" by job {other.id}" if other else ""
    return Busy(f'{job.type} of "{job.object}" is under way already{by}')


def record_of(row: Any) -> Job:
    """Return the record of a row."""
    return Job(
        id=row.id,
        type=row.type,
        object=row.object,
        state=State(row.state),
        priority=row.priority,
        backup_day=row.backup_day,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        worker=row.worker,
        fence=row.fence,
        message=row.message,
        log=row.log,
        result=row.result,
        request=row.request,
        exit_code=row.exit_code,
    )
