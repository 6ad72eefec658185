"""What an admin decides about savesets: locks, another EOL, removal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sesam.catalog import drives, jobs, retention, savesets
from sesam.device.directory import DirectoryStore
from sesam.errors import Busy, ForeignSite, Protected, SesamError
from sesam.rules.records import Job
from sesam.rules.removal import parted, removal
from sesam.rules.retention import Holding, Verdict
from sesam.service import clockwatch, expire, working
from sesam.service.fetching.rows import row_named
from sesam.service.ground.audit import record
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog, counted
from sesam.service.ground.site import Site
from sesam.terms import Level, State

TYPE = "remove"
_BACKUP = "backup"


@dataclass(slots=True)
class Run:
    """A removal under way, for who wants to stop it."""

    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes: for each saveset named its copies, and those of what goes with it."""

    with_dependents: bool
    parts: tuple[tuple[str, tuple[Verdict, ...]], ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the plan as rows, in the order in which it is carried out."""
        verdicts = (one for _, part in self.parts for one in part)
        return [{**expire.row_of(one), "state": expire.PLANNED} for one in verdicts]


def lock(site: Site, name: str, *, locked: bool) -> dict[str, Any]:
    """Lock a saveset, or take the lock off; return its row. Raises NotFound."""
    with site.catalog.change():
        retention.set_locked(name, locked)
        record(site, "lock" if locked else "unlock", name)
    return row_named(name)


def set_eol(site: Site, name: str, eol: date) -> dict[str, Any]:
    """Give all copies of a saveset this EOL; return its row. Raises NotFound."""
    with site.catalog.change():
        retention.set_eol(name, eol)
        record(site, "expire", name, f"EOL {eol}")
    return row_named(name)


def plan(site: Site, names: Sequence[str], *, with_dependents: bool) -> Removal:
    """Return what is to go, dependents first; change nothing.

    Raises NotFound, Protected where others build on it or something is locked, while
    deletions are paused, or under SESAM_NOW; ForeignSite; Busy while a job needs it.
    """
    clockwatch.refuse_deletion(site)
    named = [savesets.get_saveset(name).name for name in dict.fromkeys(names)]
    known = retention.holdings()
    going = removal(known, named, with_dependents=with_dependents)
    _refuse_media(site, going)
    _refuse_busy(known, going)
    parts = []
    for name, part in parted(going, named):
        why = {True: "removed by hand", False: f'it builds on "{name}"'}
        verdicts = (
            Verdict(one, copy, True, why[one.name == name])
            for one in part
            for copy in one.copies
        )
        parts.append((name, tuple(verdicts)))
    return Removal(with_dependents, tuple(parts))


def remove(site: Site, asked: Removal, run: Run) -> list[dict[str, Any]]:
    """Carry the plan out, a job for each saveset named; return its rows.

    Raises as `plan` where that is no longer allowed, Interrupted; what has been
    forgotten by then stays so.
    """
    names = [name for name, _ in asked.parts]
    plan(site, names, with_dependents=asked.with_dependents)
    told = {"with_dependents": asked.with_dependents}
    rows: list[dict[str, Any]] = []
    for name, verdicts in asked.parts:
        job = working.queue(site, TYPE, name, told)
        with working.at_work(site, job.id) as (job, log):
            rows += _Trip(site, job, log).run(verdicts, run)
    return rows


class _Trip:
    """One removal from its job to the end of it."""

    def __init__(self, site: Site, job: Job, log: JobLog) -> None:
        self._site, self._job, self._log = site, job, log

    def run(self, verdicts: Sequence[Verdict], run: Run) -> list[dict[str, Any]]:
        going = {one.saveset.name for one in verdicts}
        self._say(f"removal of {self._job.object}: {counted(len(going), 'saveset')}")
        heartbeat = Heartbeat(self._site.catalog, self._job)
        with heartbeat:
            run.begun(heartbeat)
            orders = expire.Orders(self._say, heartbeat)
            outcomes = expire.carry_out(self._site, verdicts, orders)
        rows = [one.row() for one in outcomes]
        states = {one.state for one in outcomes}
        state = State.WARNING if states & expire.UNDONE else State.OK
        gone = sum(one.state != expire.KEPT for one in outcomes)
        message = f"copies removed: {gone} of {len(rows)}"
        now = self._site.clock()
        with self._site.catalog.change():
            result = {"copies": gone}
            jobs.finish(self._job, state, now=now, message=message, result=result)
        self._say(f"ends as {state.value}: {message}")
        return rows

    def _say(self, text: str) -> None:
        self._log.line(self._site.clock(), text)


def _refuse_media(site: Site, going: Sequence[Holding]) -> None:
    """Raise where copies lie on media that nothing is deleted from."""
    protected = set(retention.protected_media())
    media = {name for one in going for copy in one.copies for name in copy.media}
    for store in drives.list_stores():
        if store.name in media and not store.rds:
            try:
                DirectoryStore(store.name, store.path, site.id)
            except ForeignSite:
                raise
            except SesamError:
                continue  # its bytes go when it is back
    for one in going:
        for copy in one.copies:
            for label in protected.intersection(copy.media):
                raise Protected(
                    f'saveset "{one.name}" lies on medium "{label}", which is'
                    " write-protected"
                )


def _refuse_busy(known: Sequence[Holding], going: Sequence[Holding]) -> None:
    """Raise Busy where a job reads what is to go, or may just be building on it."""
    used = expire.in_use()
    backups = {job.object for job in jobs.active_jobs() if job.type == _BACKUP}
    newest = {
        one.task: one.name for one in known if one.good and one.level is not Level.COPY
    }
    for one in going:
        if one.name in used:
            raise Busy(f'saveset "{one.name}" {used[one.name]}')
        if one.task in backups and newest.get(one.task) == one.name:
            raise Busy(
                f'a backup of task "{one.task}" is under way and may build on'
                f' "{one.name}"'
            )
