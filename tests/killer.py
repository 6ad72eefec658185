"""Runs a command as it is, and kills it at a step: CALL PATH TIMES PROGRAM WORD...

An audit hook sees each system call before it is made; of a sync it is seen that it is
over, because what matters is what is there behind it.
"""

import importlib
import os
import signal
import sys


class Step:
    """The `times`th system call `call` with `part` in one of its arguments."""

    def __init__(self, call: str, part: str, times: int) -> None:
        self._call, self._part, self._left = call, part, times

    def watch(self) -> None:
        """From now on the process dies at this step."""
        if self._call == "fsync":
            real = os.fsync

            def synced(fd: int) -> None:
                real(fd)
                self._reached()

            os.fsync = synced
        else:
            sys.addaudithook(self._seen)

    def _seen(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "os." + self._call and any(
            self._part in str(one) for one in arguments
        ):
            self._reached()

    def _reached(self) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    call, part, times, program, *words = sys.argv[1:]
    module = importlib.import_module("sesam.cli." + program)
    Step(call, part, int(times)).watch()
    sys.argv = ["sm_" + program, *words]
    module.main()
