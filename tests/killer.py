"""Runs a command as it is, and kills it at a step: CALL PATH TIMES PROGRAM WORD...

An audit hook sees each system call before it is made; of a sync it is seen that it is
over, because what matters is what is there behind it. CALL `durable` stands for every
call that changes what is on a disk, a sync among them; `failing` for the same, of which
the step does not kill but fails as on a broken disk. `taped` and `taped-failing` stand
for the blocks and filemarks written to a tape: a step before each and one behind it.
`changing` stands for the transactions of the catalog, likewise, and started processes.
"""

import contextlib
import errno
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from sesam.device.scsi.unit import Unit
from sesam.errors import DeviceError

DURABLE = ("rename", "remove", "mkdir", "rmdir", "link", "truncate")
# SSC-5: WRITE(6) and WRITE FILEMARKS(6).
TAPED = (0x0A, 0x10)
# The command has come to its end with fewer steps than asked for.
NOT_REACHED = "the step was not reached\n"


class Step:
    """The `times`th system call `call` with `part` in one of its arguments."""

    def __init__(self, call: str, part: str, times: int) -> None:
        self._calls = DURABLE if call in ("durable", "failing") else (call,)
        self._fails = call.endswith("failing")
        self._syncs = call in ("durable", "failing", "fsync")
        self._taped = call.startswith("taped")
        self._changes = call == "changing"
        self._part, self.left = part, times

    def watch(self) -> None:
        """From now on the process dies at this step."""
        if self._syncs:
            real = os.fsync

            def synced(fd: int) -> None:
                real(fd)
                self._reached()

            os.fsync = synced
        if self._taped:
            self._watch_tape()
        if self._changes:
            self._watch_changes()
        sys.addaudithook(self._seen)

    def _watch_tape(self) -> None:
        real = Unit.send

        def sent(unit: Unit, cdb: bytes, what: str, **more: Any) -> Any:
            if cdb[0] not in TAPED:
                return real(unit, cdb, what, **more)
            self._reached()
            sense = real(unit, cdb, what, **more)
            self._reached()
            return sense

        Unit.send = sent

    def _watch_changes(self) -> None:
        from sesam.catalog.db import Catalog

        real = Catalog.change

        @contextlib.contextmanager
        def changed(catalog: Catalog) -> Iterator[None]:
            self._reached()
            with real(catalog):
                yield
            self._reached()

        Catalog.change = changed

    def _seen(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._changes and event == "subprocess.Popen":
            self._reached()
        if event.removeprefix("os.") in self._calls and any(
            self._part in str(one) for one in arguments
        ):
            self._reached()

    def _reached(self) -> None:
        self.left -= 1
        if self.left <= 0 and not self._fails:
            os.kill(os.getpid(), signal.SIGKILL)
        if not self.left and self._taped:
            raise DeviceError("the drive fails")
        if not self.left:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


if __name__ == "__main__":
    call, part, times, program, *words = sys.argv[1:]
    module = importlib.import_module("sesam.cli." + program)
    step = Step(call, part, int(times))
    step.watch()
    leave = os._exit

    def left(code: int) -> None:
        if step.left > 0:
            os.write(2, NOT_REACHED.encode())
        leave(code)

    # A command takes nothing apart at its end: no `finally` would be reached.
    os._exit = left
    sys.argv = ["sm_" + program, *words]
    module.main()
