"""Saving what has changed: the walk against the listing of the base."""

import os

from sesam.saveset.parts import ListingWriter
from sesam.service.sending.base import Base
from sesam.service.sending.objects import ObjectWriter


class Merge:
    """Gives an object of the walk its line of the base, or has it saved."""

    def __init__(
        self, base: Base, objects: ObjectWriter, listing: ListingWriter
    ) -> None:
        self._base = base
        self._objects = objects
        self._listing = listing

    def save(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result | None
    ) -> None:
        """Save one object of a walk where it is not as the base has it."""
        base = self._base
        line = base.line
        # The next line is that of nearly every object; one with a tab in its path has
        # it escaped there.
        if line is not None and line.startswith(path + b"\t") and b"\t" not in path:
            base.line = base.following()
        else:
            line = base.take(path)
        if line is None:
            return self._objects.save(path, dir_fd, name, found)
        now = found
        if now is None:
            try:
                now = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            except OSError:
                return self._changed(path, dir_fd, name, found)
        same = base.unchanged(line, now)
        if same is None:
            return self._changed(path, dir_fd, name, found)
        self._listing.add(same)
        return None

    def _changed(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result | None
    ) -> None:
        before = self._listing.objects
        self._objects.save(path, dir_fd, name, found)
        if self._listing.objects == before:
            # It vanished meanwhile, or is a socket by now.
            self._listing.gone(path)
