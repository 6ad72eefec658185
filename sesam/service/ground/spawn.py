"""Starting a worker: a process of its own, which nobody has to wait for."""

import os
import subprocess
import sys

from sesam.errors import SesamError
from sesam.service.ground.site import Site

POSTS, NOTICES = "posts", "notices"
_NOW = "SESAM_NOW"
# Those that this process has started: the next start asks which of them have ended.
_workers: list[subprocess.Popen[bytes]] = []


def spawn_worker(site: Site, job_id: int) -> None:
    """Start the worker of a queued job: a new session, without input and output.

    It works for the same site and, in a rehearsal, goes on from the time of now.
    Raises SesamError where no process can be started.
    """
    _spawn(site, "worker", str(job_id))


def spawn_errand(site: Site, what: str) -> None:
    """Start what runs scripts of the admin that nobody waits for; as a worker is.

    what -- POSTS or NOTICES
    """
    _spawn(site, "errand", what)


def _spawn(site: Site, module: str, word: str) -> None:
    environment = {**os.environ, "SESAM_ROOT": site.root}
    if environment.get(_NOW):
        environment[_NOW] = site.clock().isoformat()
    collect()
    try:
        worker = subprocess.Popen(
            [sys.executable, "-m", f"sesam.cli.{module}", word],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
    except OSError as error:
        raise SesamError(f"no {module} can be started: {error.strerror}") from error
    _workers.append(worker)


def collect() -> None:
    """Ask which workers of this process have ended: they leave the process table."""
    _workers[:] = [one for one in _workers if one.poll() is None]
