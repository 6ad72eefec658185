"""Commands that events start: programs below etc/commands.d, and no others.

Whoever may write there may run anything as the site's user: so the directory, and each
program in it, belongs to that user or to root, and nobody else may write to it.
"""

import os
import pwd
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

from sesam.catalog import jobs
from sesam.errors import Interrupted, NotFound, RequestError, WrongUsage
from sesam.rules.event import Event
from sesam.rules.records import Job
from sesam.service import working
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.site import Site
from sesam.terms import State

TYPE = "command"
DIRECTORY = "etc/commands.d"
_LOOK_S = 0.2
_GRACE_S = 10.0
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LONGEST_LINE = 4096


@dataclass(slots=True)
class Run:
    """A command under way, for who wants to stop it."""

    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def program(site: Site, name: str) -> str:
    """Return the path of a program that events may run.

    Raises NotFound, WrongUsage where it is none, or others than the site may change it.
    """
    directory = site.path(DIRECTORY)
    path = os.path.join(directory, name)
    for one in (directory, path):
        try:
            found = os.stat(one)
        except OSError as error:
            raise NotFound(
                f'"{one}" cannot be run: {(error.strerror or str(error)).lower()}',
                hint=f"programs that events may run lie in {directory}",
            ) from error
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & _OTHERS:
            raise WrongUsage(
                f'"{one}" may be changed by others than this site: it is not run',
                hint=f"chown and chmod go-w {one}",
            )
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise WrongUsage(f'"{path}" is no program', hint=f"chmod +x {path}")
    return path


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
    try:
        process = subprocess.Popen(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SESAM_ROOT": site.root, "SESAM_JOB": str(job.id)},
            start_new_session=True,
            **_as_user(str(told.get("user") or "")),
        )
    except OSError as error:
        raise RequestError(f'"{path}" cannot be run: {error.strerror}') from error
    assert process.stdout is not None
    reader = threading.Thread(
        target=_copy, args=(process.stdout, site, log), daemon=True
    )
    reader.start()
    limit = 60.0 * float(told.get("time_limit") or 0)
    try:
        code = _wait(process, heartbeat, limit)
    finally:
        _end(process)
    # What it has left running may hold the pipe: its own output is there by now.
    reader.join(_GRACE_S)
    return code if code >= 0 else 128 - code


def _wait(process: subprocess.Popen[bytes], heartbeat: Heartbeat, limit: float) -> int:
    began = monotonic()
    while True:
        try:
            return process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            if heartbeat.stopped():
                raise Interrupted("stopped", signal=heartbeat.signal) from None
            if limit and monotonic() - began > limit:
                raise RequestError(
                    f"it was ended: its time limit is {limit / 60:.0f} minutes"
                ) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all it has started, where it has not ended."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE_S)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _copy(output: IO[bytes], site: Site, log: JobLog) -> None:
    while line := output.readline(_LONGEST_LINE):
        text = line.decode("utf-8", "backslashreplace").rstrip("\n")
        log.line(site.clock(), "".join(c if c.isprintable() else "?" for c in text))


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
