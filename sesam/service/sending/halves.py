"""A walk in two halves: the later one is compared in a process of its own.

Where the middle is, the listing of the base tells: its frames can be read from any of
them on. The process writes what it finds into a temporary file, and changes nothing:
what it does not come to its end with is walked over as if it had never been.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from sesam.client.walk import Found, Report
from sesam.device.directory import FileBlob
from sesam.errors import Damaged
from sesam.ports import Blob
from sesam.rules.paths import walk_key
from sesam.saveset.middle import Middle, is_worth, middle_of
from sesam.saveset.reader import FramedBlob
from sesam.service.ground import records
from sesam.service.ground.helper import Helper
from sesam.service.sending import sourcejob
from sesam.service.sending.base import Base
from sesam.service.sending.sourcejob import SourceJob

_MODULE = "sesam.service.sending.halfwalk"


class Halves:
    """What is walked over here and what elsewhere; close it when done."""

    def __init__(self, job: SourceJob, listing: Blob, part: FramedBlob) -> None:
        self._job = job
        self._later: Helper | None = None
        self._held: list[tuple[Report, bytes, str]] = []
        self._failed = False
        here = isinstance(listing, FileBlob)
        self._middle = _middle(part) if here and job.sources else None
        if self._middle is not None and isinstance(listing, FileBlob):
            with suppress(OSError):
                order = _order(job, listing.path, self._middle)
                self._later = Helper(_MODULE, order)

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
        self._later.found.seek(0)
        replay(records.read(self._later.found))

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


def _middle(part: FramedBlob) -> Middle | None:
    if not is_worth(part):
        return None
    # The process needs a while to begin.
    return middle_of(part, part.table.frames * 3 // 5)


def _order(job: SourceJob, listing: str, middle: Middle) -> bytes:
    order = f"{listing}\n{middle.frame}\n{middle.path.hex()}\n"
    return os.fsencode(order + sourcejob.encode(job))
