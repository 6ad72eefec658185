"""A process that does half of the work, and writes what becomes of it into a file.

It changes nothing that could not be done again: a helper that fails costs time alone.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import BinaryIO

_LOOK_S = 0.05
_DIE_WITH_PARENT = 1


class Helper:
    """The module `module` as a process of its own; close it when done.

    order -- what it reads from its standard input; `found` -- the file that is its
    standard output. Raises OSError where it cannot be started.
    """

    def __init__(self, module: str, order: bytes) -> None:
        self.found: BinaryIO = TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=self.found,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            self.found.close()
            raise
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already: `has_ended_well` finds out
            self._process.stdin.write(order)
            self._process.stdin.close()

    def has_ended_well(self, look: Callable[[], object]) -> bool:
        """Wait for the process; False where it failed. look -- may raise."""
        while True:
            look()
            try:
                return self._process.wait(_LOOK_S) == 0
            except subprocess.TimeoutExpired:
                continue

    def close(self) -> None:
        """End the process where it still runs."""
        self._process.kill()
        self._process.wait()
        self.found.close()


def end_with_parent() -> None:
    """Have this process killed when the one that started it is gone.

    To be called by the helper itself. Source: prctl(2), PR_SET_PDEATHSIG.
    """
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
