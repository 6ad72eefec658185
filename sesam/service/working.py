"""A job's way through its worker: queued, active, and ended whatever happens."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sesam.catalog import jobs, sheet
from sesam.catalog.sheet import SheetRow
from sesam.errors import Busy, Interrupted, NoIdentity, SesamError, exit_code_of
from sesam.rules.decision import EventType
from sesam.rules.records import Job
from sesam.service import notifying, repair
from sesam.service.ground import owner
from sesam.service.ground.audit import record
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.site import Site
from sesam.terms import State

# Starts of these are in the calendar, whoever asked for them.
_IN_SHEET = (EventType.BACKUP, EventType.RESTORE, EventType.NEWDAY, EventType.COMMAND)


def queue(
    site: Site,
    kind: str,
    name: str,
    request: Mapping[str, Any],
    *,
    of: str = "",
    like: SheetRow | None = None,
) -> Job:
    """Add a job that was asked for by hand and waits for its worker.

    name -- its object; of -- its object in the calendar sheet, where that is another
    like -- the row of what is done once more
    """
    now = site.clock()
    day = site.backup_day(now)
    with site.catalog.change():
        job = jobs.enqueue(kind, name, backup_day=day, now=now, request=request)
        if kind in _IN_SHEET:
            level = str(request.get("level") or "")
            row = SheetRow(
                *("", EventType(kind), of or name, "", "", day, now, None),
                *(job.priority, False, level, State.QUEUED.value),
            )
            if like:
                row = row._replace(
                    event=like.event,
                    object=like.object,
                    group=like.group,
                    unseen=bool(like.event),
                    cause=f"job {like.job} once more, by hand",
                )
            sheet.post_start(row._replace(job=job.id))
        record(site, f"start {kind}", name, f"job {job.id}")
    return job


@contextlib.contextmanager
def at_work(site: Site, job_id: int) -> Iterator[tuple[Job, JobLog]]:
    """Make a queued job active under this process, with its log, for a block.

    The block ends the job; where it fails before, the job ends with that failure. So it
    does, as one that never began, where it cannot become active: Busy is raised while
    another job works on the same object.
    """
    try:
        repair.settle(site)
        queued = jobs.get_job(job_id)
        path = site.log_path(queued.backup_day, job_id)
        log = JobLog(path, site.zone)
    except BaseException as error:
        never_began(site, job_id, error)
        raise
    try:
        try:
            job = jobs.start(
                site.catalog, job_id, owner.current_owner(), clock=site.clock, log=path
            )
        except BaseException as error:
            never_began(site, job_id, error)
            raise
        if queued.message:
            log.line(site.clock(), queued.message)
        try:
            yield job, log
        except BaseException as error:
            failed(site, job, log, error)
            raise
    finally:
        log.close()
        notifying.kick(site)


def stop(site: Site, job_id: int, why: str) -> bool:
    """End a queued job, tell the worker of an active one; False for an ended one.

    A worker of this machine gets SIGTERM: told twice it breaks off. One of another
    machine learns it from the catalog.
    """
    with site.catalog.change():
        queued = jobs.end_queued(
            job_id,
            State.CANCELLED,
            now=site.clock(),
            message=why,
            exit_code=jobs.CANCELLED,
        )
        told = queued or jobs.tell_to_stop(job_id)
        if told:
            record(site, "cancel job", str(job_id), why)
    job = jobs.get_job(job_id)
    holder = jobs.owner_of(job.worker)
    if job.state is State.ACTIVE and holder:
        owner.send(holder, signal.SIGTERM)
    return told


def noting_passphrase(
    site: Site, job: Job, passphrase: Callable[[], str]
) -> Callable[[], str]:
    """Return `passphrase`; once it is asked for, the job's request says `asked`."""

    def asked() -> str:
        with site.catalog.change():
            jobs.note_request(job.id, asked=True)
        return passphrase()

    return asked


def nobody() -> str:
    """Be the passphrase of a worker without a terminal. Raises NoIdentity."""
    raise NoIdentity(
        "the identity asks for a passphrase, and nobody is there to give it",
        hint="start it by hand, or name an identity without one",
    )


def never_began(site: Site, job_id: int, error: BaseException) -> None:
    """End a job that is still queued, and will never be anything else."""
    off = isinstance(error, Busy | Interrupted | KeyboardInterrupt)
    with contextlib.suppress(SesamError), site.catalog.change():
        jobs.end_queued(
            job_id,
            State.CANCELLED if off else State.ERROR,
            now=site.clock(),
            message=_said(error),
            exit_code=exit_code_of(error),
        )


def failed(site: Site, job: Job, log: JobLog, error: BaseException) -> None:
    """End a job that its trip has not ended; one that has ended is left alone."""
    stopped = isinstance(error, Interrupted | KeyboardInterrupt)
    state = State.CANCELLED if stopped else State.ERROR
    message = _said(error)
    try:
        with site.catalog.change():
            if not jobs.is_mine(job):
                return
            jobs.finish(
                job,
                state,
                now=site.clock(),
                message=message,
                result={},
                exit_code=exit_code_of(error),
            )
    except SesamError as worse:
        log.line(site.clock(), f"the catalog does not know yet: {worse}")
        return
    log.line(site.clock(), f"ends as {state.value}: {message}")


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return str(error) or type(error).__name__
