"""Standard streams that cannot break a command: closed, full, or without a reader.

A file that is opened while 0, 1 or 2 is free would get that number, and then what is
meant for people would be written into it.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from sesam.errors import OutputLost

_IN, _OUT, _ERR = 0, 1, 2


class ReaderGone(BrokenPipeError):
    """Whoever read stdout has seen enough.

    Of no errno: Click takes a broken pipe, whichever it was, for its own to handle.
    """


class _Out(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ReaderGone("nobody reads the output") from None
        except OSError as error:
            raise OutputLost(
                f"the output cannot be written: {error.strerror}"
            ) from error


class _Err(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes  # the exit code still tells how it ended


def secure() -> None:
    """Make stdin, stdout and stderr fit for use, whatever the caller has left."""
    for fd in (_IN, _OUT, _ERR):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest free number: this one. Programs that are started need it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    encoding = sys.stdout.encoding if sys.stdout is not None else "utf-8"
    sys.stdin = io.TextIOWrapper(
        io.BufferedReader(io.FileIO(_IN, closefd=False)),
        encoding="utf-8",
        errors="surrogateescape",
    )
    sys.stdout = _text(_Out(_OUT, "w", closefd=False), encoding)
    sys.stderr = _text(_Err(_ERR, "w", closefd=False), encoding, lines=True)


def _text(raw: io.FileIO, encoding: str, *, lines: bool = False) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=lines or raw.isatty(),
    )


def silence() -> None:
    """Send what is left of stdout nowhere: Python must not stumble over it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), _OUT)


@contextmanager
def unread() -> Iterator[None]:
    """Print what has been worked out: without a reader the command goes on to its end.

    Its exit code says more than that nobody looked.
    """
    try:
        yield
    except ReaderGone:
        silence()
