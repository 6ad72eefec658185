"""The admin's scripts around a job: a pre before it, a post behind it, come what may.

Before a pre is started the catalog knows that a post is owed. The worker runs it; where
the worker is gone, an errand that whoever ended the job has started does.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sesam.catalog import claims, interface_runs, jobs
from sesam.catalog import site as settings
from sesam.catalog.interface_runs import OpenRun
from sesam.errors import (
    Busy,
    InterfaceFailed,
    InterfaceRefused,
    InterfaceUnusable,
    Interrupted,
    SesamError,
)
from sesam.interface.calling import Call, Late, Stopped, call
from sesam.interface.scripts import DIRECTORY, PAIRS, script
from sesam.rules.records import Job
from sesam.service.ground import owner
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog, lines_of
from sesam.service.ground.site import Site
from sesam.service.ground.spawn import POSTS, spawn_errand
from sesam.terms import State, worse

_CLAIM = "errand:posts"
_WARNING, _REFUSED = 1, 2
Say = Callable[[str], object]


class Around:
    """The scripts around one job."""

    def __init__(
        self, site: Site, job: Job, log: JobLog, pair: str, facts: Mapping[str, Any]
    ) -> None:
        self._site, self._job, self._pair = site, job, pair
        self._facts = {
            "site": site.id,
            "job": job.id,
            "type": job.type,
            "backup_day": job.backup_day.isoformat(),
            **facts,
        }
        self._say: Say = lambda text: log.line(site.clock(), text)
        self._least = State.OK
        self._pre_exit: int | None = None
        self._owed = False
        # What a post that failed adds to the message of the job.
        self.failure = ""
        self._failed = False

    def begin(self, heartbeat: Heartbeat) -> None:
        """Run the pre script. Raises InterfaceRefused, -Unusable, Interrupted."""
        directory = self._site.path(DIRECTORY)
        pre, post = PAIRS[self._pair]
        if not any(os.path.lexists(os.path.join(directory, x)) for x in (pre, post)):
            return
        path = script(directory, pre)
        with self._site.catalog.change():
            interface_runs.begin(
                self._job.id, self._pair, self._facts, self._site.clock()
            )
        self._owed = True
        if path:
            self._pre(pre, path, heartbeat)

    def end(self, state: State, message: str = "") -> State:
        """Run the post script; return what the job ends as: `state`, or worse."""
        state = worse(state, self._least)
        if not self._owed:
            return state
        self._owed = False
        facts = _told(self._facts, state, message, self._pre_exit)
        name = PAIRS[self._pair][1]
        found, self.failure = run_post(self._site, name, facts, self._say)
        with self._site.catalog.change():
            interface_runs.close(self._job.id)
        self._failed = found is State.ERROR
        return worse(state, found)

    def exit_code(self, state: State) -> int | None:
        """Return the exit code of a job that ends so because of its post script."""
        return InterfaceFailed.exit_code if state is State.ERROR else None

    def with_failure(self, message: str) -> str:
        """Return the message of the job with what its post script failed with."""
        return f"{message}; {self.failure}" if self.failure else message

    def raise_failure(self, rest: str) -> None:
        """Raise InterfaceFailed where the post failed; rest -- what is well."""
        if self._failed:
            raise InterfaceFailed(f"{self.failure}; {rest}")

    def _pre(self, name: str, path: str, heartbeat: Heartbeat) -> None:
        facts = {"interface": name, **self._facts}
        limit = settings.settings().interface_limit
        try:
            code = _run(self._site, path, facts, self._say, limit, heartbeat.stopped)
        except Stopped:
            raise Interrupted("stopped", signal=heartbeat.signal) from None
        except Late:
            raise InterfaceRefused(
                f"{name} was ended: its time limit is {limit} minutes",
                hint="sm_setup modify --interface-limit MINUTES",
            ) from None
        self._pre_exit = code
        with self._site.catalog.change():
            interface_runs.note_pre(self._job.id, code)
        if code >= _REFUSED:
            raise InterfaceRefused(f"{name} refuses: it ended with exit code {code}")
        if code == _WARNING:
            self._say(f"warning: {name} ended with exit code 1")
            self._least = State.WARNING


@contextmanager
def around(
    site: Site,
    job: Job,
    log: JobLog,
    heartbeat: Heartbeat,
    pair: str,
    facts: Mapping[str, Any],
) -> Iterator[Around]:
    """Run the pre script of a job, and its post when the block fails.

    pair -- `sbc` or `res`; facts -- what both are told of it
    Where the block goes well it calls `end` itself, before it ends the job. Raises as
    `begin` does, InterfaceFailed where the job was cancelled and the post failed.
    """
    one = Around(site, job, log, pair, facts)
    try:
        one.begin(heartbeat)
        yield one
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | Interrupted)
        state = State.CANCELLED if stopped else State.ERROR
        if one.end(state, str(error)) is not state:
            raise InterfaceFailed(f"{error or 'interrupted'}; {one.failure}") from error
        if one.failure and isinstance(error, SesamError):
            # The job's message is what an admin reads: that has to say it too.
            error.args = (f"{error}; {one.failure}",)
        raise


def kick(site: Site) -> None:
    """Start an errand for the posts that gone workers owe, where there are any."""
    if interface_runs.owed() and not claims.is_held(site.catalog, _CLAIM):
        with suppress(SesamError):
            spawn_errand(site, POSTS)


def run_owed(site: Site) -> None:
    """Run the posts of jobs that have ended without; one process at a time does."""
    try:
        holding = claims.holding(
            site.catalog, _CLAIM, owner.current_owner(), owner.JUDGE
        )
        with holding as held:
            for one in interface_runs.owed():
                _run_owed(site, one)
                claims.renew(site.catalog, held)
    except Busy:
        return


def _run_owed(site: Site, one: OpenRun) -> None:
    path = site.log_path(jobs.get_job(one.job).backup_day, one.job)
    facts = _told(one.facts, one.state, one.message, one.pre_exit)
    with lines_of(path, site) as say:
        if one.process is not None:
            # It outlives its worker: what stops a database must not meet the start.
            owner.end_group(one.process)
        found, failure = run_post(site, PAIRS[one.pair][1], facts, say)
    with site.catalog.change():
        if interface_runs.close(one.job) and worse(one.state, found) != one.state:
            jobs.worsen(one.job, found, f"{one.message}; {failure}")


def run_post(
    site: Site, name: str, facts: Mapping[str, Any], say: Say
) -> tuple[State, str]:
    """Run a post script, if there is one; return how it went, and why not well."""
    limit = settings.settings().interface_limit
    try:
        path = script(site.path(DIRECTORY), name)
        if not path:
            return State.OK, ""
        code = _run(site, path, {"interface": name, **facts}, say, limit)
    except Late:
        why = f"{name} was ended: its time limit is {limit} minutes"
    except InterfaceUnusable as error:
        why = f"{name}: {error}"
    else:
        why = f"{name} ended with exit code {code}"
        if code == 0:
            return State.OK, ""
        if code == _WARNING:
            say(f"warning: {why}")
            return State.WARNING, why
    say(f"error: {why}")
    return State.ERROR, why


def _run(
    site: Site,
    path: str,
    facts: Mapping[str, Any],
    say: Say,
    limit: int,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    say(f"runs {path}")
    asked = Call((path,), facts, {"SESAM_ROOT": site.root}, 60.0 * limit)

    def began(pid: int) -> None:
        # Only who has to run the post of a gone worker asks for it.
        with suppress(SesamError), site.catalog.change():
            interface_runs.note_process(facts["job"], owner.of_process(pid))

    name = facts["interface"]
    return call(asked, lambda text: say(f"{name}: {text}"), stopped, began)


def _told(
    facts: Mapping[str, Any], state: State, message: str, pre_exit: int | None
) -> dict[str, Any]:
    return {**facts, "state": state.value, "message": message, "pre_exit": pre_exit}
