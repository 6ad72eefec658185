"""Commands that events start: programs below etc/commands.d, and no others."""

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sesam.catalog import jobs
from sesam.errors import InterfaceUnusable, Interrupted, RequestError, WrongUsage
from sesam.interface import scripts
from sesam.interface.calling import Call, Late, Stopped, call
from sesam.rules.event import Event
from sesam.rules.records import Job
from sesam.service import working
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.site import Site
from sesam.terms import State

TYPE = "command"
DIRECTORY = "etc/commands.d"


@dataclass(slots=True)
class Run:
    """A command under way, for who wants to stop it."""

    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def program(site: Site, name: str) -> str:
    """Return the path of a program that events may run.

    Raises NotFound, WrongUsage where it is none, or others than the site may change it.
    """
    return scripts.program(site.path(DIRECTORY), name)


def told_of(event: Event) -> dict[str, Any]:
    """Return what the job of a command event is told."""
    return {
        "arguments": list(event.arguments),
        "user": event.user,
        "time_limit": event.time_limit,
    }


def work(site: Site, job_id: int, run: Run) -> None:
    """Do the queued job of a command, in this process.

    Its exit code ends the job: 0 ok, 3 warning, anything else error.
    """
    with working.at_work(site, job_id) as (job, log):
        heartbeat = Heartbeat(site.catalog, job)
        with heartbeat:
            run.begun(heartbeat)
            code = _run(site, job, log, heartbeat)
            heartbeat.check()
        state = {0: State.OK, 3: State.WARNING}.get(code, State.ERROR)
        message = f'"{job.object}" ended with exit code {code}'
        with site.catalog.change():
            jobs.finish(
                job,
                state,
                now=site.clock(),
                message=message,
                result={"exit_code": code},
                exit_code=code,
            )
        log.line(site.clock(), f"ends as {state.value}: {message}")


def _run(site: Site, job: Job, log: JobLog, heartbeat: Heartbeat) -> int:
    told = job.request
    path = program(site, job.object)
    arguments = [str(one) for one in told.get("arguments", [])]
    log.line(site.clock(), f"runs {' '.join([path, *arguments])}")
    limit = 60.0 * float(told.get("time_limit") or 0)
    asked = Call(
        (path, *arguments),
        environment={"SESAM_ROOT": site.root, "SESAM_JOB": str(job.id)},
        limit_s=limit,
        as_user=_as_user(str(told.get("user") or "")),
    )
    try:
        return call(asked, lambda text: log.line(site.clock(), text), heartbeat.stopped)
    except InterfaceUnusable as error:
        raise RequestError(str(error)) from error
    except Stopped:
        raise Interrupted("stopped", signal=heartbeat.signal) from None
    except Late:
        raise RequestError(
            f"it was ended: its time limit is {limit / 60:.0f} minutes"
        ) from None


def _as_user(name: str) -> dict[str, Any]:
    """Return what makes a program run as another user. Raises WrongUsage."""
    if not name:
        return {}
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise WrongUsage(f'there is no user "{name}"') from None
    if entry.pw_uid == os.geteuid():
        return {}
    groups = os.getgrouplist(name, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
