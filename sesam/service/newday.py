"""The housekeeping of a new backup day, and which backup day it is.

Earlier days are closed, expired copies go, lost ones are marked, unused listings are
dropped, old logs and rows pruned, the catalog is copied and kept in order. Each step
can be done again; a run that was killed is gone on with by the next.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sesam.catalog import claims, jobs, retention, upkeep
from sesam.catalog import site as settings
from sesam.errors import SesamError
from sesam.rules.records import Claim, Job
from sesam.service import (
    clockwatch,
    closing,
    expire,
    newdayplan,
    presence,
    pruning,
    repair,
    unread,
    watching,
    working,
)
from sesam.service.ground import owner
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.site import Site
from sesam.terms import CopyState, State

TYPE = "newday"
CONFIRM = clockwatch.CONFIRM
_OBJECT = "NEWDAY"
_TOMBSTONES = timedelta(days=400)
_COPIES, _COPY_PREFIX = 7, "newday-"


@dataclass(slots=True)
class Run:
    """A newday under way, for who wants to stop it."""

    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def run(site: Site, asked: Run, *, dry_run: bool, confirm: bool) -> dict[str, Any]:
    """Do the housekeeping of the current backup day; return what `sm_newday run` says.

    dry_run -- show the plan, change nothing
    confirm -- an admin says that the clock is right
    Raises Protected under the wrong kind of clock, Busy while another one runs.
    """
    clockwatch.refuse_tick(site)
    if dry_run:
        seen = clockwatch.judge(site, confirm=confirm)
        return newdayplan.report(newdayplan.plan(site, clockwatch.why(site, seen)))
    with _alone(site) as held:
        job = working.queue(site, TYPE, _OBJECT, {"confirm": confirm})
        return _run(site, job.id, asked, held)


def work(site: Site, job_id: int, asked: Run) -> dict[str, Any]:
    """Do the queued job of a newday, in this process; raises as `run` does."""
    clockwatch.refuse_tick(site)
    with _alone(site) as held:
        return _run(site, job_id, asked, held)


def _alone(site: Site) -> AbstractContextManager[Claim]:
    me = owner.current_owner()
    return claims.holding(site.catalog, TYPE, me, owner.JUDGE)


def _run(site: Site, job_id: int, asked: Run, held: Claim) -> dict[str, Any]:
    with working.at_work(site, job_id) as (job, log):
        seen = clockwatch.record(site, confirm=bool(job.request.get("confirm")))
        trip = _Trip(site, job, log, clockwatch.why(site, seen))
        heartbeat = Heartbeat(site.catalog, job)
        heartbeat.keep(lambda: [held])
        result = trip.run(heartbeat, asked)
    watching.watch(site)
    return result


def show(site: Site) -> dict[str, Any]:
    """Return the current backup day, when it began, when it ends, the last run."""
    day = site.backup_day(site.clock())
    ran = settings.get(settings.NEWDAY_RAN)
    return {
        "backup_day": day,
        "since": site.newdays.begin(day),
        "until": site.newdays.begin(site.newdays.following(day)),
        "last_run_at": datetime.fromisoformat(ran) if ran else None,
        "paused": clockwatch.paused(site) or None,
    }


class _Trip:
    """One run from its job to the end of it."""

    def __init__(self, site: Site, job: Job, log: JobLog, paused: str) -> None:
        self._site, self._job, self._log = site, job, log
        self._paused = paused
        self._warnings = 0

    def run(self, heartbeat: Heartbeat, asked: Run) -> dict[str, Any]:
        self._say(f"newday of backup day {self._job.backup_day}")
        with heartbeat:
            asked.begun(heartbeat)
            result = self._work(heartbeat)
            heartbeat.check()
        state = State.WARNING if self._warnings else State.OK
        result |= {"job": self._job.id, "state": state.value}
        self._end(state, self._paused or f"copies deleted: {result['deleted']}", result)
        return result

    def _work(self, heartbeat: Heartbeat) -> dict[str, Any]:
        site = self._site
        plan = newdayplan.plan(site, self._paused)
        if plan.paused:
            self._warn(f"deletions are paused: {plan.paused}; {clockwatch.CONFIRM}")
        for job in plan.cancelled:
            if working.stop(site, job.id, f"cancelled by newday of {plan.backup_day}"):
                self._say(f"job {job.id} of {job.backup_day} is cancelled")
        repair.settle_afar(site, self._warn)
        presence.note(site, plan.presence)
        for one in plan.presence:
            if one.found is CopyState.OK:
                self._say(f"{one.saveset}: {one.why}")
            else:
                self._warn(f"{one.saveset} is {one.found}: {one.why}")
        orders = expire.Orders(self._say, heartbeat, expired_on=plan.backup_day)
        outcomes = expire.carry_out(site, plan.verdicts, orders)
        dropped = 0
        if not plan.paused:
            dropped = unread.drop(plan.listings)
            with site.catalog.change():
                retention.prune_tombstones(site.clock() - _TOMBSTONES)
            pruning.carry_out(site, plan.prunable, self._say)
        self._keep_catalog(plan, heartbeat.stopped)
        done = {**newdayplan.report(plan, outcomes), "dropped_listings": dropped}
        told = {"expired": done["deleted"], "missing": done["missing"]}
        told["paused"] = plan.paused or None
        for line in closing.close(site, plan.closing, told):
            self._say(line)
        return done

    def _keep_catalog(self, plan: newdayplan.Plan, stopped: Callable[[], bool]) -> None:
        """Copy and tidy the catalog; what fails is a warning, for the rest is done."""
        site = self._site
        directory = site.path("var/db")
        path = site.path("var/db", f"{_COPY_PREFIX}{plan.backup_day}")
        try:
            upkeep.analyze(site.catalog)
            upkeep.free_pages(site.catalog, stopped)
            made = upkeep.copy_catalog(site.catalog, path)
            self._say(f"copy of the catalog: {made}")
            if not plan.paused:
                upkeep.prune_copies(directory, _COPY_PREFIX, _COPIES)
        except (SesamError, OSError) as error:
            self._warn(str(error))

    def _end(self, state: State, message: str, result: dict[str, Any]) -> None:
        now = self._site.clock()
        kept = {key: value for key, value in result.items() if key != "plan"}
        kept["backup_day"] = str(kept["backup_day"])
        with self._site.catalog.change():
            jobs.finish(self._job, state, now=now, message=message, result=kept)
            settings.put(settings.NEWDAY_RAN, now.isoformat())
        self._say(f"ends as {state.value}: {message}")

    def _warn(self, text: str) -> None:
        self._warnings += 1
        self._say(f"warning: {text}")

    def _say(self, text: str) -> None:
        self._log.line(self._site.clock(), text)
