"""What follows from ended jobs: retries, follow-ups, and what falls back.

Whoever notices an end sees to it: the worker that ends, a tick after a kill. Each end
is one transaction, and of many processes one alone takes it: what follows is started
once.
"""

from sesam.catalog import ends, events, jobs
from sesam.catalog.sheet import OFF, PLANNED, SheetRow
from sesam.errors import NotFound, SesamError
from sesam.rules.consequence import is_followed, retry
from sesam.rules.event import Event
from sesam.rules.plan import objects_of
from sesam.rules.records import Job, Waits
from sesam.service import posting, spawning
from sesam.service.deciding import Deciding
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.site import Site
from sesam.service.planning import setup_of
from sesam.terms import State


def see_to(site: Site) -> list[str]:
    """Do what follows from all that has ended; return what went wrong.

    An event that cannot be seen to stops no other: the next call tries it again.
    """
    problems = []
    for row in ends.unseen():
        try:
            _ended(site, row)
        except SesamError as error:
            problems.append(f'event "{row.event}": {error}')
    return problems + _fall_back(site)


def _ended(site: Site, row: SheetRow) -> None:
    event = events.find_event(row.event)
    job = _job(row)
    with site.catalog.change():
        if not ends.see(row) or event is None:
            return
        new = _retry(site, event, row, job) if job else None
        if new is None:
            for follower in events.followers(event.name):
                if is_followed(follower, row.state):
                    _follow(site, follower, row)
    if job and new:
        log = JobLog(job.log or site.log_path(job.backup_day, job.id), site.zone)
        log.line(site.clock(), f"{new.message}: as job {new.id}")
        log.close()


def _job(row: SheetRow) -> Job | None:
    try:
        return jobs.get_job(row.job or 0)
    except NotFound:
        return None  # its row was pruned: nothing is known to be tried again


def _retry(site: Site, event: Event, row: SheetRow, job: Job) -> Job | None:
    """Queue the job of an occurrence once more if it failed and the event says so."""
    if job.state is not State.ERROR:
        return None
    now = site.clock()
    found = retry(event, row.attempt, job.ended_at or now, row.closes_at)
    if found.not_before is None:
        if found.why:
            ends.note_cause(row, found.why)
        return None
    why = f"{found.why}, job {job.id} failed: {job.message}"
    new = spawning.enqueue(
        spawning.Told(job.type, job.object, job.request),
        day=row.backup_day,
        now=now,
        priority=job.priority,
        waits=Waits(row.closes_at, found.not_before, why),
    )
    ends.again(row, new.id, why)
    return new


def _follow(site: Site, follower: Event, after: SheetRow) -> None:
    """Start a follow-up, on the backup day of what it follows."""
    now = site.clock()
    groups = setup_of(site).groups if follower.group else {}
    level = follower.level.value if follower.level else ""
    for name in objects_of(follower, groups):
        row = SheetRow(
            *(follower.name, follower.type, name, follower.group, ""),
            backup_day=after.backup_day,
            start_at=now,
            closes_at=None,
            priority=follower.priority,
            blocking=False,
            level=level,
            state=PLANNED,
            cause=f"follows job {after.job} of {after.event}",
        )
        if not follower.enabled:
            row = row._replace(state=OFF, reason="off: the event is switched off")
        posting.post(site, follower, row)


def _fall_back(site: Site) -> list[str]:
    """Decide once more what was suppressed by what came to nothing."""
    waiting = ends.fallen_back(site.clock())
    if not waiting:
        return []
    deciding, problems = Deciding(setup_of(site)), []
    for old in waiting:
        event = deciding.events.get(old.event)
        new = deciding.row(old)
        if event is None or (new.state, new.by) == (old.state, old.by):
            continue
        try:
            with site.catalog.change():
                new, told = posting.prepared(site, event, new)
                if ends.decide_again(old, new) and told:
                    posting.start(site, new, old.id, told)
        except SesamError as error:
            problems.append(f'event "{old.event}": {error}')
    return problems
