"""A walk in two halves: the later one is compared in a process of its own.

Where the middle is, the listing of the base tells: its frames can be read from any of
them on. The process writes what it finds into a temporary file, and changes nothing:
what it does not come to its end with is walked over as if it had never been.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryFile
from typing import BinaryIO

from sesam.client.walk import Found, Report
from sesam.device.directory import FileBlob
from sesam.errors import Damaged
from sesam.ports import Blob
from sesam.rules.paths import walk_key
from sesam.saveset.frames import FRAME_LIMIT
from sesam.saveset.listing import is_gone, unescape
from sesam.saveset.reader import FramedBlob
from sesam.service.sending import records, sourcejob
from sesam.service.sending.base import Base
from sesam.service.sending.sourcejob import SourceJob

# With less to look at, a process costs more than it saves.
_LEAST_FRAMES = 6
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Middle:
    """A frame of the base's listing, its first line, and the path that this is of."""

    frame: int
    line: bytes
    path: bytes


def middle_of(part: FramedBlob) -> Middle | None:
    """Return where to part the walk over what a listing has; None = it is too small."""
    if part.table.frames < _LEAST_FRAMES or len(os.sched_getaffinity(0)) < 2:
        return None
    # The process needs a while to begin.
    frame = part.table.frames * 3 // 5
    at = part.table.plain[frame]
    if part.read_at(at - 1, 1) != b"\n":
        return None
    line, whole, _ = part.some(at, FRAME_LIMIT).partition(b"\n")
    if not whole or line[:1] != b"/" or is_gone(line):
        return None
    return Middle(frame, line, unescape(line.partition(b"\t")[0]))


class Halves:
    """What is walked over here and what elsewhere; close it when done."""

    def __init__(self, job: SourceJob, listing: Blob, part: FramedBlob) -> None:
        self._job = job
        self._later: _LaterHalf | None = None
        self._held: list[tuple[Report, bytes, str]] = []
        self._failed = False
        here = isinstance(listing, FileBlob)
        self._middle = middle_of(part) if here and job.sources else None
        if self._middle is not None and isinstance(listing, FileBlob):
            with suppress(OSError):
                self._later = _LaterHalf(job, listing.path, self._middle)

    def close(self) -> None:
        """End the process where it still runs."""
        if self._later is not None:
            self._later.close()

    def lines(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """Return those lines of the base that belong to what is walked over here."""
        if self._middle is None or self._later is None:
            return lines
        self._rest = chain((self._middle.line,), lines)
        return _up_to(self._middle.line, lines)

    def guarded(self, remark: Report) -> Report:
        """Return a remark of the walk; what lies elsewhere is said by who goes there.

        On its way to the middle the walk may come beyond it.
        """
        if self._middle is None or self._later is None:
            return remark
        middle = walk_key(self._middle.path)

        def said(path: bytes, why: str) -> None:
            if self._failed or walk_key(path) < middle:
                remark(path, why)
            else:
                self._held.append((remark, path, why))

        return said

    def here(
        self,
        walk: Iterable[Found],
        base: Base,
        replay: Callable[[Iterator[tuple[bytes, bytes]]], object],
        look: Callable[[], object],
    ) -> Iterator[Found]:
        """Yield of a walk what is to be looked at here.

        At the middle `replay` is given what the process has found, and that is all;
        where it has failed, the walk goes on. look -- called now and then; may raise
        """
        if self._middle is None or self._later is None:
            yield from walk
            return
        middle = walk_key(self._middle.path)
        found = iter(walk)
        for prefix, fd, names, facts in found:
            if walk_key(prefix + names[-1]) < middle:
                yield prefix, fd, names, facts
                continue
            if first := [one for one in names if walk_key(prefix + one) < middle]:
                yield prefix, fd, first, facts
            base.finish()
            if self._later.has_ended_well(look):
                break
            self._go_on(base)
            yield prefix, fd, names[len(first) :], facts
            yield from found
            return
        else:
            base.finish()
            if not self._later.has_ended_well(look):
                self._go_on(base)
                return
        replay(self._later.records())

    def _go_on(self, base: Base) -> None:
        """Without the process: what was left to it is done here."""
        self._failed = True
        for remark, path, why in self._held:
            remark(path, why)
        self._held.clear()
        base.read_on(self._rest)


def _up_to(middle: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines in front of the middle one. Raises Damaged where it is none."""
    for line in lines:
        if line == middle:
            return
        yield line
    raise Damaged("the listing of the base has not the line that parts it")


class _LaterHalf:
    """The process that walks over the later half, and the file of what it finds."""

    def __init__(self, job: SourceJob, listing: str, middle: Middle) -> None:
        order = f"{listing}\n{middle.frame}\n{middle.path.hex()}\n"
        self._found: BinaryIO = TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sesam.service.sending.halfwalk"],
                stdin=subprocess.PIPE,
                stdout=self._found,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            self._found.close()
            raise
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already: `has_ended_well` finds out
            self._process.stdin.write(os.fsencode(order + sourcejob.encode(job)))
            self._process.stdin.close()

    def has_ended_well(self, look: Callable[[], object]) -> bool:
        """Wait for the process; False where it failed. look -- may raise."""
        while True:
            look()
            try:
                return self._process.wait(_LOOK_S) == 0
            except subprocess.TimeoutExpired:
                continue

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        self._found.seek(0)
        return records.read(self._found)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._found.close()
