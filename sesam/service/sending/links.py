"""The hard-linked objects whose further names are still to be met."""

import os

from sesam.saveset.listing import Place

_Known = tuple[bytes, Place, bytes]


class LinkTable:
    """Remembers by (device, inode) where the first name of an object was saved.

    A group whose names have all been met is forgotten, so that the table holds only
    those that are still open.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[_Known, int]] = {}

    def remember(
        self, found: os.stat_result, name: bytes, place: Place, digest: bytes
    ) -> None:
        """The object was saved as `name` at `place`."""
        key = found.st_dev, found.st_ino
        self._open[key] = (name, place, digest), found.st_nlink - 1

    def meet(self, found: os.stat_result) -> _Known | None:
        """Return name, place and digest of the object where it was saved already."""
        key = found.st_dev, found.st_ino
        known, left = self._open.get(key, (None, 0))
        if left > 1 and known:
            self._open[key] = known, left - 1
        elif known:
            del self._open[key]
        return known
