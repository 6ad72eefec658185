"""A program that runs beside this one: told on stdin, heard on stdout."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic
from typing import IO

from sesam.errors import Unreachable

LOOK_S = 0.2
_END_S = 30
_KEPT_LINES = 40
_LINE_LIMIT = 1 << 12
_BUFFER_BYTES = 1 << 16
# Writes to the program's stdin until the event is set, then returns.
Tell = Callable[[IO[bytes], threading.Event], object]


class Patience:
    """When a program that does not end by itself is ended.

    stopped -- true once it has been told to end in good order: then it may be silent
    for `grace_s`; lost -- true once nobody waits for it any more: then at once
    """

    def __init__(
        self,
        stopped: Callable[[], bool],
        grace_s: float,
        lost: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stopped, self._lost = stopped, lost
        self._grace_s = grace_s
        self._told_at: float | None = None

    def is_over(self, silent_s: float) -> bool:
        """Tell whether to end a program that has been waited for so long."""
        if self._lost():
            return True
        if not self._stopped():
            return False
        if self._told_at is None:
            self._told_at = monotonic()
        return min(silent_s, monotonic() - self._told_at) > self._grace_s


class Child:
    """out -- the program's stdout, to be read to its end; killed -- out of patience"""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._process = process
        self._heard = _Heard(process.stdout.fileno())
        self.out: IO[bytes] = io.BufferedReader(self._heard, _BUFFER_BYTES)
        self.killed = False
        self._said: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def kill(self) -> None:
        """End the program and what it has started, at once."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def exit_code(self) -> int:
        """Wait for the end, which comes soon after that of stdout, or make it."""
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def said(self) -> list[str]:
        """Return the last lines that it has written on stderr."""
        self._listener.join(_END_S)
        text = b"".join(self._said).decode("utf-8", "replace")
        return text.strip().splitlines()

    def close(self) -> None:
        """Wait for the end and give back what is held."""
        self.exit_code()
        self._listener.join(_END_S)
        self.out.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def watch(self, patience: Patience, over: threading.Event) -> None:
        """End the program once patience with it is over; to be run in a thread."""
        while not over.wait(LOOK_S):
            if patience.is_over(self._heard.silent_s()):
                self.killed = True
                self.kill()
                return

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            while line := pipe.readline(_LINE_LIMIT):
                self._said.append(line)


class _Heard(io.RawIOBase):
    """A pipe that knows how long it has been waited for."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waits_since: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._waits_since = monotonic()
        try:
            return os.readv(self._fd, [buffer])
        finally:
            self._waits_since = None

    def silent_s(self) -> float:
        """Return for how long nothing has come; 0 while nothing is waited for."""
        since = self._waits_since
        return 0.0 if since is None else monotonic() - since


@contextmanager
def running(argv: Sequence[str], tell: Tell, patience: Patience) -> Iterator[Child]:
    """Run a program for the length of the block. Raises Unreachable.

    tell -- called in a thread of its own; end of file on stdin follows it
    To be called in a thread that lives as long as the program shall: it dies with it.
    """
    process = _started(argv)
    assert process.stdin is not None
    child, over = Child(process), threading.Event()
    threads = [
        threading.Thread(target=work, args=arguments, daemon=True)
        for work, arguments in (
            (_told, (process.stdin, tell, over)),
            (child.watch, (patience, over)),
        )
    ]
    for one in threads:
        one.start()
    try:
        yield child
    except BaseException:
        # It may wait for ever to be read, or for what it is told.
        child.kill()
        raise
    finally:
        over.set()
        for one in threads:
            one.join(_END_S)
        child.close()


def _started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        if not shutil.which(argv[0]):
            raise FileNotFoundError(2, os.strerror(2))
        return subprocess.Popen(
            [*_dying_with_us(), *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unreachable(f'"{argv[0]}" cannot be run: {error.strerror}') from error


@lru_cache(1)
def _dying_with_us() -> tuple[str, ...]:
    """Return the words that let a program die when this one is killed.

    End of file on stdin tells it too, but it may hang, or its ssh wait for it.
    """
    setpriv = shutil.which("setpriv")  # of util-linux
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()


def _told(pipe: IO[bytes], tell: Tell, over: threading.Event) -> None:
    try:
        with pipe:
            tell(pipe, over)
    except (OSError, ValueError):
        return  # the program has ended: its exit code and its stderr say why
