"""The trip of a verify: one job for all the savesets that are asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sesam.catalog import jobs
from sesam.catalog.savesets import is_known
from sesam.errors import Damaged, Interrupted, NotFound
from sesam.rules.records import Job
from sesam.service import working
from sesam.service.fetching.reading import Passphrase
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog, counted
from sesam.service.ground.site import Site
from sesam.service.verify import Progress, chosen, verify_saveset
from sesam.terms import CopyState, State

TYPE = "verify"
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Request:
    """What to verify: savesets by name, or all of a task, or all of the site."""

    savesets: tuple[str, ...] = ()
    task: str = ""
    everything: bool = False
    identities: tuple[str, ...] = ()
    deep: bool = False


@dataclass(slots=True)
class Watch:
    """Who looks on: the passphrase, progress by files and bytes, and how to stop."""

    passphrase: Passphrase = working.nobody
    progress: Progress = lambda files, size: None
    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


class _Stop(BaseException):
    """Ends the reading of a saveset; no damage, whatever it goes through."""


def start(site: Site, request: Request, watch: Watch) -> list[dict[str, Any]]:
    """Verify and return the rows of `sm_backup verify`, one a saveset.

    Damage makes the job an `error`; it is in the rows, not raised. Raises NotFound,
    WrongUsage, DeviceError, Interrupted.
    """
    return work(site, queue(site, request).id, watch)


def queue(site: Site, request: Request) -> Job:
    """Add the job of a verify; `work` does it. Raises NotFound, WrongUsage."""
    chosen(request.savesets, request.task, request.everything)
    name = " ".join(request.savesets) or request.task or EVERYTHING
    told = {
        "savesets": list(request.savesets),
        "task": request.task,
        "all": request.everything,
        "identities": list(request.identities),
        "deep": request.deep,
    }
    return working.queue(site, TYPE, name, told)


def work(site: Site, job_id: int, watch: Watch) -> list[dict[str, Any]]:
    """Do the queued job of a verify, in this process; raises as `start` does."""
    with working.at_work(site, job_id) as (job, log):
        watch.passphrase = working.noting_passphrase(site, job, watch.passphrase)
        trip = _Trip(site, watch, job, log)
        heartbeat = Heartbeat(site.catalog, job)
        with heartbeat:
            watch.begun(heartbeat)
            trip.read(heartbeat)
            heartbeat.check()
        return trip.end()


class _Trip:
    def __init__(self, site: Site, watch: Watch, job: Job, log: JobLog) -> None:
        self._site, self._watch, self._job, self._log = site, watch, job, log
        self._read = 0  # bytes of the savesets that are done
        self._rows: list[dict[str, Any]] = []

    def read(self, heartbeat: Heartbeat) -> None:
        """Verify each saveset."""
        told = self._job.request
        self._say(f"verify of {self._job.object}")
        for name in chosen(told["savesets"], told["task"], told["all"]):
            try:
                row = self._saveset(name, told, heartbeat)
            except _Stop:
                raise Interrupted("stopped", signal=heartbeat.signal) from None
            except NotFound:
                if is_known(name):
                    raise
            if not is_known(name):
                self._say(f"{name}: has been deleted meanwhile")
                continue
            self._rows.append(row)
            self._read += row["bytes"]
            self._report(row)

    def end(self) -> list[dict[str, Any]]:
        """End the job by what was found."""
        damaged = sum(row["state"] != CopyState.OK.value for row in self._rows)
        message = counted(len(self._rows), "saveset") + " verified"
        if damaged:
            message += f", {damaged} damaged"
        state = State.ERROR if damaged else State.OK
        with self._site.catalog.change():
            jobs.finish(
                self._job,
                state,
                now=self._site.clock(),
                message=message,
                result={"savesets": len(self._rows), "damaged": damaged},
                exit_code=Damaged.exit_code if damaged else None,
            )
        self._say(f"ends as {state.value}: {message}")
        return self._rows

    def _saveset(
        self, name: str, told: Mapping[str, Any], heartbeat: Heartbeat
    ) -> dict[str, Any]:
        def progress(files: int, size: int) -> None:
            if heartbeat.stopped():
                raise _Stop
            self._watch.progress(files, self._read + size)

        progress(0, 0)
        return verify_saveset(
            self._site,
            name,
            told["identities"],
            self._watch.passphrase,
            progress,
            deep=told.get("deep", False),
        )

    def _report(self, row: dict[str, Any]) -> None:
        for error in row["errors"]:
            self._say(f"error: {row['saveset']}: {error}")
        read = counted(row["bytes"], "byte")
        self._say(f"{row['saveset']}: {row['state']}, depth {row['depth']}, {read}")

    def _say(self, text: str) -> None:
        self._log.line(self._site.clock(), text)
