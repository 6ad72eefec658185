"""Running a program of the admin: its environment, its time limit, what it says."""

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from sesam.errors import InterfaceUnusable

_LOOK_S = 0.5
_GRACE_S = 5.0
_LONGEST_LINE = 4096


class Late(Exception):
    """A program did not end within its time limit, and was ended."""


class Stopped(Exception):
    """A program was ended because whoever ran it was told to stop."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a program is run.

    facts -- its environment as SESAM_*, and its stdin as one JSON object
    environment -- added as it is; as_user -- what Popen takes for another user
    limit_s -- after which it is ended with all it has started; 0 = never
    """

    argv: tuple[str, ...]
    facts: Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 0.0
    as_user: Mapping[str, Any] = field(default_factory=dict)


def call(
    asked: Call,
    line: Callable[[str], object],
    stopped: Callable[[], bool] = lambda: False,
    began: Callable[[int], object] = lambda pid: None,
) -> int:
    """Run a program to its end and return its exit code, 128 + n for a signal.

    line -- takes what it says, both streams, a line each; began -- its process
    Raises InterfaceUnusable where it cannot be started, Late, Stopped; then its whole
    process group has been ended. What it leaves running when it ends is left alone: a
    post may have started a database.
    """
    said, writing = os.pipe()
    stdin = _stdin(asked.facts)
    try:
        process = subprocess.Popen(
            list(asked.argv),
            stdin=stdin,
            stdout=writing,
            stderr=writing,
            env={**os.environ, **_environment(asked.facts), **asked.environment},
            start_new_session=True,
            **asked.as_user,
        )
    except OSError as error:
        os.close(said)
        raise InterfaceUnusable(
            f'"{asked.argv[0]}" cannot be run: {(error.strerror or "?").lower()}'
        ) from error
    finally:
        os.close(writing)
        if stdin >= 0:
            os.close(stdin)
    try:
        began(process.pid)
        return _wait(process, _Lines(said, line), asked.limit_s, stopped)
    finally:
        _end(process)
        os.close(said)


class _Lines:
    """What comes through a pipe, as lines."""

    def __init__(self, fd: int, line: Callable[[str], object]) -> None:
        self.fd, self._line, self._rest = fd, line, b""
        os.set_blocking(fd, False)

    def read(self) -> bool:
        """Pass on what is there; tell whether there may be more."""
        try:
            chunk = os.read(self.fd, 65536)
        except BlockingIOError:
            return False
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for one in whole:
            self._pass(one)
        while len(self._rest) > _LONGEST_LINE:
            self._pass(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]
        return bool(chunk)

    def end(self) -> None:
        while self.read():
            pass
        if self._rest:
            self._pass(self._rest)

    def _pass(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "backslashreplace")
        self._line("".join(c if c.isprintable() else "?" for c in text))


def _wait(
    process: subprocess.Popen[bytes],
    lines: _Lines,
    limit_s: float,
    stopped: Callable[[], bool],
) -> int:
    began = monotonic()
    ended = os.pidfd_open(process.pid)
    watched = [ended, lines.fd]
    try:
        while True:
            ready, _, _ = select.select(watched, [], [], _LOOK_S)
            if lines.fd in ready and not lines.read():
                watched = [ended]  # it has closed its output, and goes on
            if ended in ready:
                lines.end()
                code = process.wait()
                return code if code >= 0 else 128 - code
            if stopped():
                raise Stopped
            if limit_s and monotonic() - began > limit_s:
                raise Late
    finally:
        os.close(ended)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that has not ended, and all it has started."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    # The group outlives its leader: what did not hear SIGTERM goes now.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stdin(facts: Mapping[str, Any] | None) -> int:
    """Return a file of the facts as JSON: it can be left unread, or read twice."""
    if facts is None:
        return subprocess.DEVNULL
    fd = os.memfd_create("sesam")
    text = json.dumps({key: _plain(value) for key, value in facts.items()}, indent=1)
    os.write(fd, text.encode() + b"\n")
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _environment(facts: Mapping[str, Any] | None) -> dict[str, str | bytes]:
    """Return SESAM_* of all facts that are one value; nothing is ""."""
    found: dict[str, str | bytes] = {}
    for key, value in (facts or {}).items():
        if isinstance(value, bytes):
            found[f"SESAM_{key.upper()}"] = value.replace(b"\0", b"")
        elif value is None or isinstance(value, str | int | float):
            text = "" if value is None else str(value).replace("\0", "")
            found[f"SESAM_{key.upper()}"] = text.encode("utf-8", "backslashreplace")
    return found
