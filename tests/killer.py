"""Runs a command as it is, and kills it at a step: CALL PATH TIMES PROGRAM WORD...

An audit hook sees each system call before it is made; of a sync it is seen that it is
over, because what matters is what is there behind it.
"""

import importlib
import os
import signal
import sys

call, part, times, program, *words = sys.argv[1:]
module = importlib.import_module("sesam.cli." + program)
left = int(times)
fsync = os.fsync


def die() -> None:
    global left
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


def seen(event: str, arguments: tuple[object, ...]) -> None:
    if event == "os." + call and any(part in str(one) for one in arguments):
        die()


def synced(fd: int) -> None:
    fsync(fd)
    die()


if call == "fsync":
    os.fsync = synced
else:
    sys.addaudithook(seen)
sys.argv = ["sm_" + program, *words]
module.main()
