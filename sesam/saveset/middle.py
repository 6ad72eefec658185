"""Where a listing can be parted, so that two processes go over a half each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sesam.saveset.frames import FRAME_LIMIT
from sesam.saveset.listing import (
    LINKED,
    MARKED,
    decode,
    escape,
    is_gone,
    unescape,
)
from sesam.saveset.reader import FramedBlob

# With less to look at, a process costs more than it saves.
_LEAST_FRAMES = 6
_FLAGS = (LINKED, MARKED + LINKED)
_LINKED = tuple(b"\t%b\t" % one.encode() for one in _FLAGS)
_DEVICE, _INODE, _FLAG = 10, 11, 13
# Names of objects of several names: with more of them nothing is parted.
_MOST_LINKED = 20_000
# Device and inode of an object, as a line has them.
Inode = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Middle:
    """A frame of a listing, its first line, and the path that this is of."""

    frame: int
    line: bytes
    path: bytes


def middle_of(part: FramedBlob, frame: int) -> Middle | None:
    """Return the place where a frame begins with an object; None = it does not."""
    at = part.table.plain[frame]
    if part.read_at(at - 1, 1) != b"\n":
        return None
    line, whole, _ = part.some(at, FRAME_LIMIT).partition(b"\n")
    if not whole or line[:1] != b"/" or is_gone(line):
        return None
    return Middle(frame, line, unescape(line.partition(b"\t")[0]))


def is_worth(part: FramedBlob) -> bool:
    """Tell whether two processes are faster than one: by size and by processors."""
    return part.table.frames >= _LEAST_FRAMES and len(os.sched_getaffinity(0)) > 1


def parted_groups(part: FramedBlob, frame: int) -> set[Inode] | None:
    """Return the objects that have names before a frame and from it on.

    None where there are too many of several names. Raises Damaged.
    """
    found: dict[Inode, tuple[int, int]] = {}
    table, names = part.table, 0
    for number in range(table.frames):
        text = part.some(table.plain[number], FRAME_LIMIT)
        for key in _linked(text):
            found[key] = found.get(key, (number, number))[0], number
            names += 1
        if names > _MOST_LINKED:
            return None
    return {key for key, (first, last) in found.items() if first < frame <= last}


def directories_in(part: FramedBlob, end: int, paths: Sequence[bytes]) -> set[bytes]:
    """Return which of some paths are directories with lines in the first frames.

    end -- frame behind them. One of which nothing could be saved is none.
    """
    found = set()
    table = part.table
    wanted = {path: escape(path) + b"\td\t" for path in paths}
    for frame in range(end):
        text = part.some(table.plain[frame], FRAME_LIMIT)
        for path, begin in wanted.items():
            at = 0 if text.startswith(begin) else text.find(b"\n" + begin) + 1
            line = text[at : text.find(b"\n", at)]
            if line.startswith(begin) and not decode(line).is_lost:
                found.add(path)
    return found


def _linked(text: bytes) -> Iterator[Inode]:
    """Yield the objects of several names among the lines of a frame."""
    for flag in _LINKED:
        at = text.find(flag)
        while at >= 0:
            end = text.find(b"\n", at)
            fields = text[text.rfind(b"\n", 0, at) + 1 : end].split(b"\t")
            # What looks like the flag may be the name of an owner.
            if len(fields) > _FLAG and LINKED.encode() in fields[_FLAG]:
                yield int(fields[_DEVICE]), int(fields[_INODE])
            at = text.find(flag, end) if end >= 0 else -1
