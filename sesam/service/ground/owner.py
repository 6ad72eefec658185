"""Who this process is, and whether another one still lives."""

import os
from functools import lru_cache

from sesam.rules.records import Owner


@lru_cache(1)
def host_id() -> str:
    """Return the id of this machine (machine-id(5)), or of its boot without one."""
    return _text("/etc/machine-id") or boot_id()


@lru_cache(1)
def boot_id() -> str:
    """Return the id of this boot (random(4))."""
    return _text("/proc/sys/kernel/random/boot_id") or "-"


def current_owner() -> Owner:
    """Return this process as an owner of claims."""
    pid = os.getpid()
    return Owner(host_id(), boot_id(), pid, _started(pid) or 0)


def is_alive(owner: Owner) -> bool | None:
    """Tell whether an owner lives; None for one on another machine.

    A process of the same number that began later is another one.
    """
    if owner.host != host_id():
        return None
    return owner.boot == boot_id() and _started(owner.pid) == owner.started


def _started(pid: int) -> int | None:
    """Return when a process began, in ticks since the boot; None where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name of the program may hold blanks and brackets: fields follow it.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip().replace("/", "-")
    except OSError:
        return ""
