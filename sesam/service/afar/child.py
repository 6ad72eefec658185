"""A program that runs beside this one: told on stdin, heard on stdout."""

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from sesam.errors import Unreachable

LOOK_S = 0.2
_END_S = 30
_KEPT_LINES = 40
_LINE_LIMIT = 1 << 12
# Writes to the program's stdin until the event is set, then returns.
Tell = Callable[[IO[bytes], threading.Event], object]


class Child:
    """out -- the program's stdout, to be read to its end"""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._process = process
        self.out: IO[bytes] = process.stdout
        self._said: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def exit_code(self) -> int:
        """Wait for the end, which comes soon after that of stdout, or make it."""
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
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

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            while line := pipe.readline(_LINE_LIMIT):
                self._said.append(line)


@contextmanager
def running(argv: Sequence[str], tell: Tell) -> Iterator[Child]:
    """Run a program for the length of the block. Raises Unreachable.

    tell -- called in a thread of its own; end of file on stdin follows it
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unreachable(f'"{argv[0]}" cannot be run: {error.strerror}') from error
    assert process.stdin is not None
    child, over = Child(process), threading.Event()
    teller = threading.Thread(
        target=_told, args=(process.stdin, tell, over), daemon=True
    )
    teller.start()
    try:
        yield child
    finally:
        over.set()
        teller.join(_END_S)
        child.close()


def _told(pipe: IO[bytes], tell: Tell, over: threading.Event) -> None:
    try:
        with pipe:
            tell(pipe, over)
    except (OSError, ValueError):
        return  # the program has ended: its exit code and its stderr say why
