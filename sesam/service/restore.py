"""The trip of a restore: a listing, the members it points to, a destination."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from sesam.catalog import jobs
from sesam.client.destination import Destination
from sesam.client.objects import Outcome
from sesam.client.preview import Preview
from sesam.errors import Damaged, Interrupted, NotFound
from sesam.rules.records import Job, Saveset
from sesam.saveset.listing import Line
from sesam.service import working
from sesam.service.fetching.choice import Wish, choose
from sesam.service.fetching.links import FirstNames
from sesam.service.fetching.members import Members, described
from sesam.service.fetching.reading import Passphrase, StoredSaveset, shelf_of
from sesam.service.fetching.told import told_of, wish_of
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog, counted, quoted
from sesam.service.ground.site import Site
from sesam.service.interfaces import around
from sesam.service.restoring import halves
from sesam.service.restoring.asked import Asked
from sesam.service.restoring.placing import Counts, Placing
from sesam.terms import State

TYPE = "restore"
# Objects between two looks at the progress.
_TELL_EVERY = 64
_KEYS = (
    *("job", "state", "files", "bytes", "skipped"),
    *("savesets", "seconds", "warnings"),
)


@dataclass(slots=True)
class Watch:
    """Who looks on: progress by files and bytes, warnings, and how to stop."""

    passphrase: Passphrase
    progress: Callable[[int, int], object] = lambda files, size: None
    planned: Callable[[Line], object] = lambda line: None
    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def start(site: Site, wish: Wish, watch: Watch) -> dict[str, Any]:
    """Restore and return what `sm_restore start` reports.

    Raises NotFound, ChainBroken, Damaged, NoIdentity, TargetUnusable, DeviceError. Run
    again after an interruption it goes on: what is finished is recognised.
    """
    chain = choose(site, wish)
    if wish.dry_run:
        return _Trip(site, wish, watch, chain, None).plan()
    return work(site, _queue(site, wish, chain).id, watch, chain)


def queue(site: Site, wish: Wish) -> Job:
    """Add the job of a restore; `work` does it. Raises as `start` does before it."""
    return _queue(site, wish, choose(site, wish))


def _queue(site: Site, wish: Wish, chain: list[Saveset]) -> Job:
    newest = chain[-1]
    return working.queue(site, TYPE, newest.name, told_of(wish), of=newest.task)


def queued_result(job: Job) -> dict[str, Any]:
    """Return what `sm_restore start --detach` reports: null is not known yet."""
    return {**dict.fromkeys(_KEYS), "job": job.id, "state": job.state.value}


def work(
    site: Site, job_id: int, watch: Watch, chain: list[Saveset] | None = None
) -> dict[str, Any]:
    """Do the queued job of a restore, in this process; raises as `start` does.

    chain -- as `choose` gave it to who queued the job just now
    """
    with working.at_work(site, job_id) as (job, log):
        wish = wish_of(job)
        watch.passphrase = working.noting_passphrase(site, job, watch.passphrase)
        return _Trip(site, wish, watch, chain or choose(site, wish), log).run(job, log)


class _Trip:
    def __init__(
        self,
        site: Site,
        wish: Wish,
        watch: Watch,
        chain: list[Saveset],
        log: JobLog | None,
    ) -> None:
        self._site, self._wish, self._watch = site, wish, watch
        self._chain, self._saveset, self._log = chain, chain[-1], log
        self._asked = Asked(wish.paths)
        self._counts, self._warnings = Counts(), 0
        self._began = monotonic()

    def plan(self) -> dict[str, Any]:
        """Show what would be restored; write nothing."""
        wish = self._wish
        preview = Preview(
            wish.target, existing=wish.existing, numeric=wish.numeric_owners
        )
        with (
            self._open() as stored,
            shelf_of(stored, self._chain) as shelf,
            FirstNames() as firsts,
        ):
            members = Members(shelf)
            for line, asked in self._asked.lines(stored.listing):
                if asked and not line.is_lost:
                    outcome = self._planned(line, preview, members, firsts)
                    if self._counts.add(line, outcome):
                        self._watch.planned(line)
        preview.close()
        self._asked.refuse_missing(self._saveset.name)
        return self._result(None, State.OK)

    def _planned(
        self, line: Line, preview: Preview, members: Members, firsts: FirstNames
    ) -> Outcome:
        try:
            obj = described(line)
            first = firsts.get(line) if "h" in line.flags else None
            if first is not None:
                return preview.link(obj, first)
            outcome = preview.outcome(obj, lambda: members.read(line)[0])
        except (Damaged, NotFound):
            return Outcome.FAILED
        if "h" in line.flags and outcome in (Outcome.WRITTEN, Outcome.SAME):
            firsts.put(line)
        return outcome

    def run(self, job: Job, log: JobLog) -> dict[str, Any]:
        site = self._site
        heartbeat = Heartbeat(site.catalog, job)
        self._say(
            f"restore of {self._saveset.name} to {quoted(self._wish.target)},"
            f" existing: {self._wish.existing.value}"
        )
        with (
            heartbeat,
            around(site, job, log, heartbeat, "res", self._facts()) as scripts,
        ):
            self._watch.begun(heartbeat)
            self._restore(heartbeat)
            heartbeat.check()
            self._asked.refuse_missing(self._saveset.name)
            state = State.WARNING if self._warnings else State.OK
            message = counted(self._counts.files, "object") + " restored"
            state = scripts.end(state, message)
            heartbeat.check()
        message = scripts.with_failure(message)
        result = self._result(job, state)
        with site.catalog.change():
            jobs.finish(
                job,
                state,
                now=site.clock(),
                message=message,
                result=result,
                exit_code=scripts.exit_code(state),
            )
        self._say(f"ends as {state.value}: {message}")
        scripts.raise_failure("the objects are restored")
        return result

    def _facts(self) -> dict[str, Any]:
        """Return what scripts around this restore are told of it."""
        return {
            "task": self._saveset.task,
            "client": self._saveset.client,
            "saveset": self._saveset.name,
            "target": quoted(self._wish.target)[1:-1],
        }

    def _restore(self, heartbeat: Heartbeat) -> None:
        wish = self._wish

        def look() -> None:
            if heartbeat.stopped():
                raise Interrupted(
                    "stopped; run it again to go on", signal=heartbeat.signal
                )

        with self._open() as stored, shelf_of(stored, self._chain) as shelf:
            reading = self._asked.lines(stored.listing)
            order = halves.order_for(self._site, wish, stored, self._chain)
            destination = self._destination()
            try:
                with (
                    FirstNames() as firsts,
                    halves.Halves(destination, self._report, self._say) as later,
                ):
                    later.begin(order)
                    place = partial(
                        Placing,
                        Members(shelf),
                        firsts=firsts,
                        report=self._report,
                        partial=wish.partial,
                    )
                    self._place_all(place, destination, later, reading, look)
            except BaseException:
                destination.abandon()
                raise
            destination.close()

    def _destination(self) -> Destination:
        wish = self._wish
        return Destination(
            wish.target,
            existing=wish.existing,
            numeric=wish.numeric_owners,
            report=self._report,
        )

    def _place_all(
        self,
        placing: Callable[[Destination], Placing],
        destination: Destination,
        later: halves.Halves,
        lines: Iterator[tuple[Line, bool]],
        look: Callable[[], object],
    ) -> None:
        own = placing(destination)

        def tell() -> None:
            self._counts = own.counts + later.counts()
            self._watch.progress(self._counts.files, self._counts.bytes)

        def wait() -> None:
            look()
            tell()

        since = 0
        for line, asked in later.here(lines, wait):
            look()
            own.put(line, asked=asked)
            since += 1
            if since == _TELL_EVERY:
                since = 0
                tell()
        tell()
        if later.late:
            again = self._destination()
            late = placing(again)
            later.finish(late.put, again)
            again.close()
            self._counts += late.counts

    def _open(self) -> StoredSaveset:
        return StoredSaveset(
            self._site,
            self._saveset,
            identities=self._wish.identities,
            passphrase=self._watch.passphrase,
        )

    def _report(self, path: bytes, why: str) -> None:
        self._warnings += 1
        self._say(f"warning: {quoted(path)}: {why}")

    def _say(self, text: str) -> None:
        if self._log is not None:
            self._log.line(self._site.clock(), text)

    def _result(self, job: Job | None, state: State) -> dict[str, Any]:
        return {
            "job": job.id if job else None,
            "state": state.value,
            "files": self._counts.files,
            "bytes": self._counts.bytes,
            "skipped": self._counts.skipped,
            "savesets": [one.name for one in self._chain],
            "seconds": round(monotonic() - self._began, 3),
            "warnings": self._warnings,
        }
