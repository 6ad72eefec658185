"""The hard-linked objects whose further names are still to be met."""

import os
from typing import NamedTuple

from sesam.saveset.listing import HOLDS, Place
from sesam.service.sending.linkspool import LinkSpool

# So many groups, and bytes of their names, are kept in memory.
_HELD = 10_000
_HELD_BYTES = 4 << 20


class Group(NamedTuple):
    """An object under its first name.

    left -- names still to be met; ctime, mtime -- ns; size, digest -- as in its line
    segment, offset -- where its member lies; name -- that of the member
    """

    left: int
    ctime: int
    mtime: int
    size: int
    segment: int
    offset: int
    digest: bytes
    name: bytes

    @property
    def place(self) -> Place:
        return HOLDS, self.segment, self.offset


class LinkTable:
    """Remembers by (device, inode) where the first name of an object was saved.

    A group whose names have all been met is forgotten, so that the table holds only
    those that are still open; of very many those that come late wait in a file.
    """

    def __init__(self, held: int = _HELD) -> None:
        self._limit = held
        self._open: dict[tuple[int, int], Group] = {}
        self._held_bytes = 0
        self._spool: LinkSpool | None = None

    def remember(
        self, found: os.stat_result, name: bytes, place: Place, digest: bytes
    ) -> None:
        """The object, which is not known any more, was saved as `name` at `place`."""
        left, size = found.st_nlink - 1, found.st_size
        when = found.st_ctime_ns, found.st_mtime_ns
        group = Group(left, *when, size, place[1], place[2], digest, name)
        if len(self._open) < self._limit and self._held_bytes < _HELD_BYTES:
            self._open[found.st_dev, found.st_ino] = group
            self._held_bytes += len(name)
        else:
            self._spool = self._spool or LinkSpool()
            self._spool.add(found.st_dev, found.st_ino, *group)

    def meet(self, found: os.stat_result) -> Group | None:
        """Return the object where it was saved already: one of its names is met."""
        key = found.st_dev, found.st_ino
        group = self._open.get(key)
        if group is not None:
            if group.left > 1:
                self._open[key] = group._replace(left=group.left - 1)
            else:
                self.forget(found)
        elif self._spool is not None and (fields := self._spool.meet(*key)):
            group = Group(*fields)
        return group

    def forget(self, found: os.stat_result) -> None:
        """What was remembered of the object holds no more."""
        key = found.st_dev, found.st_ino
        group = self._open.pop(key, None)
        if group is not None:
            self._held_bytes -= len(group.name)
        elif self._spool is not None:
            self._spool.forget(*key)

    def close(self) -> None:
        """Give the file back."""
        if self._spool is not None:
            self._spool.close()
