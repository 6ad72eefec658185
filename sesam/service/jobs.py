"""What becomes of jobs: workers that do them, cancel, wait, restart."""

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from sesam.catalog import jobs, reaping, sheet
from sesam.errors import Busy, Conflict, NoIdentity, RequestError, SesamError
from sesam.rules.records import Job
from sesam.service import repair, working
from sesam.service.ground import owner
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.site import Site
from sesam.service.ground.spawn import spawn_worker
from sesam.terms import BY_BADNESS, State

Begun = Callable[[Heartbeat], object]
# How often a waiting command looks: soon for short jobs, then seldom.
_SOON_S, _SELDOM_S, _SOON_FOR_S = 0.2, 1.0, 5.0


def detach(site: Site, job: Job) -> None:
    """Start a worker for a queued job and do not wait for it.

    Where none can be started the job ends as `error`. Raises SesamError.
    """
    try:
        spawn_worker(site, job.id)
    except SesamError as error:
        working.never_began(site, job.id, error)
        raise


def work(site: Site, job_id: int, begun: Begun) -> None:
    """Do a queued job of any type in this process. Raises what its trip raises."""
    try:
        kind = jobs.get_job(job_id).type
        if kind not in _WORKERS:
            raise RequestError(f'there is no worker for a job of type "{kind}"')
        _WORKERS[kind](site, job_id, begun)
    except BaseException as error:
        # Whatever comes before its trip takes over: a job is not queued for good.
        working.never_began(site, job_id, error)
        raise


def cancel(site: Site, job_id: int) -> Job:
    """End a queued job, tell the worker of an active one to stop; return the job.

    A worker of this machine gets SIGTERM: told twice it breaks off. One of another
    machine learns it from the catalog. Raises NotFound, RequestError for an ended job.
    """
    jobs.get_job(job_id)
    told = working.stop(site, job_id, "cancelled before it began")
    job = jobs.get_job(job_id)
    if not told:
        raise RequestError(f"job {job_id} has ended already ({job.state.value})")
    return job


def wait(
    site: Site, job_ids: Sequence[int], *, timeout_s: float | None = None
) -> list[Job]:
    """Wait until all these jobs have ended; return them, in the order asked for.

    Jobs whose worker is gone are ended meanwhile. Raises NotFound, Busy after the
    timeout.
    """
    began = monotonic()
    while True:
        found = [jobs.get_job(one) for one in job_ids]
        open_ = [job for job in found if not job.state.is_final]
        if not open_:
            return found
        if _reap(site):
            continue
        waited = monotonic() - began
        if timeout_s is not None and waited >= timeout_s:
            first = open_[0]
            raise Busy(
                f"job {first.id} is {first.state.value} still, after {timeout_s:g} s"
            )
        pause = _SOON_S if waited < _SOON_FOR_S else _SELDOM_S
        if timeout_s is not None:
            pause = min(pause, timeout_s - waited)
        sleep(pause)


def worst_exit_code(ended: Sequence[Job]) -> int:
    """Return the exit code of the worst of ended jobs; 0 for none."""
    if not ended:
        return 0
    worst = max(ended, key=lambda job: BY_BADNESS.index(job.state))
    return jobs.exit_code(worst)


def restart(site: Site, job_id: int) -> Job:
    """Do what an ended job did once more, in a worker of its own; return the new job.

    Raises NotFound, RequestError, Conflict for an active job, NoIdentity where a
    passphrase was asked for.
    """
    job = jobs.get_job(job_id)
    if job.state is State.ACTIVE:
        raise Conflict(
            f"job {job_id} is active", hint=f"sm_job wait {job_id}, or sm_job cancel"
        )
    if job.state is State.QUEUED:
        raise RequestError(f"job {job_id} has not begun: it is queued")
    if job.type not in _WORKERS:
        raise RequestError(f'job {job_id}: a job of type "{job.type}" is not restarted')
    told = dict(job.request)
    if told.pop("asked", False):
        raise NoIdentity(
            f"job {job_id} asked for a passphrase, and a worker can ask nobody",
            hint=f"sm_{job.type} by hand does it again"
            if job.type == "restore"
            else "sm_backup verify by hand does it again",
        )
    like = sheet.of_job(job_id)
    new = working.queue(site, job.type, job.object, told, like=like)
    detach(site, new)
    return new


def _reap(site: Site) -> bool:
    """End jobs whose worker is gone, settle what they left; tell whether there were."""
    gone = reaping.reap(site.catalog, owner.JUDGE, site.clock())
    if gone:
        repair.settle(site)
    return bool(gone)


def _backup(site: Site, job_id: int, begun: Begun) -> None:
    from sesam.service import backup

    backup.work(site, job_id, backup.Run(begun=begun))


def _restore(site: Site, job_id: int, begun: Begun) -> None:
    from sesam.service import restore

    restore.work(site, job_id, restore.Watch(working.nobody, begun=begun))


def _verify(site: Site, job_id: int, begun: Begun) -> None:
    from sesam.service import verifying

    verifying.work(site, job_id, verifying.Watch(begun=begun))


def _newday(site: Site, job_id: int, begun: Begun) -> None:
    from sesam.service import newday

    newday.work(site, job_id, newday.Run(begun=begun))


def _command(site: Site, job_id: int, begun: Begun) -> None:
    from sesam.service import commands

    commands.work(site, job_id, commands.Run(begun=begun))


# Types of jobs that a worker can do, from their row alone.
_WORKERS: dict[str, Callable[[Site, int, Begun], None]] = {
    "backup": _backup,
    "restore": _restore,
    "verify": _verify,
    "newday": _newday,
    "command": _command,
}
