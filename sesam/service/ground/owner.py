"""Who this process is, and whether another one still lives."""

import contextlib
import os
import select
import signal
from functools import lru_cache

from sesam.catalog.reaping import Judge
from sesam.rules.records import Owner

# How long a process that was killed may take to be gone.
_DYING_S = 5.0


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
    return Owner(_here(), boot_id(), os.getpid(), _started("self") or 0)


def of_process(pid: int) -> Owner:
    """Return a process of this machine as an owner."""
    return Owner(_here(), boot_id(), pid, _started(str(pid)) or 0)


def is_alive(owner: Owner) -> bool | None:
    """Tell whether an owner lives; None where that cannot be seen from here.

    That is so on another machine, and in another container of this one: process ids
    mean nothing outside of their namespace. A process of the same number that began
    later is another one.
    """
    if owner.host != _here() or not _proc_is_ours():
        return None
    return owner.boot == boot_id() and _started(str(owner.pid)) == owner.started


@lru_cache(1)
def _here() -> str:
    """Return the machine and the namespace that process ids of this process are of."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = "-"  # no /proc: nothing is seen of others either
    return f"{host_id()}:{namespace}"


def _proc_is_ours() -> bool:
    """Tell whether /proc shows the processes that this one's ids are of."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def send(owner: Owner, number: int) -> bool:
    """Send a signal to an owner; False where it is gone, not here, or not ours.

    Through a descriptor of the process: a number that is given anew meanwhile, to
    another process, cannot be hit.
    """
    with contextlib.ExitStack() as stack:
        fd = _open(owner, stack)
        if fd is None:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(fd, number)
            return True
    return False


def kill(owner: Owner) -> bool:
    """End an owner for good; False where it lives on: not here, or not ours."""
    with contextlib.ExitStack() as stack:
        fd = _open(owner, stack)
        if fd is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
            select.select([fd], [], [], _DYING_S)
    return is_alive(owner) is False


def end_group(owner: Owner) -> None:
    """End an owner that leads its process group, and all of that group."""
    for number, patience in ((signal.SIGTERM, _DYING_S), (signal.SIGKILL, 1.0)):
        with contextlib.ExitStack() as stack:
            fd = _open(owner, stack)
            if fd is None:
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(owner.pid, number)
            select.select([fd], [], [], patience)


def _open(owner: Owner, stack: contextlib.ExitStack) -> int | None:
    """Return a descriptor of a living owner's process until the stack is closed."""
    if not is_alive(owner):
        return None
    try:
        fd = os.pidfd_open(owner.pid)
    except OSError:
        return None
    stack.callback(os.close, fd)
    # Only now it is certain that the descriptor is the owner's.
    return fd if is_alive(owner) else None


def _started(pid: str) -> int | None:
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


JUDGE = Judge(is_alive, kill)
