"""Saving what has changed: the walk against the listing of the base."""

import os
from collections.abc import Sequence
from os import stat as os_stat
from typing import Protocol

from sesam.client.reach import Take
from sesam.service.sending.base import Base


class Lines(Protocol):
    """What takes the lines of a listing; objects -- how many of objects it has."""

    @property
    def objects(self) -> int: ...
    def add_all(self, lines: Sequence[bytes]) -> None: ...
    def gone(self, path: bytes) -> None: ...


class Merge:
    """Gives an object of the walk its line of the base, or has it saved.

    save -- saves an object, and adds its line
    """

    def __init__(self, base: Base, save: Take, listing: Lines) -> None:
        self._base = base
        self._take = save
        self._listing = listing

    def save_all(
        self,
        prefix: bytes,
        dir_fd: int,
        names: Sequence[bytes],
        found: os.stat_result | None,
    ) -> None:
        """Save those objects of a walk, as it yields them, that are not as they were.

        The path of a file that is as it was is short on purpose: most are.
        """
        base = self._base
        same: list[bytes] = []
        for name in names:
            line = base.line
            path = prefix + name
            begin = path + b"\t"
            # The next line is that of nearly every object. Not where the path has signs
            # that are other ones in a line.
            if (
                line is not None
                and line.startswith(begin)
                and b"\\" not in path
                and b"\t" not in path
            ):
                base.line = base.following()
                at = len(begin)
            else:
                # What is passed over may add lines of its own.
                self._add(same)
                line = base.take(path)
                at = line.index(b"\t") + 1 if line is not None else 0
            if line is not None:
                try:
                    now = found or os_stat(name, dir_fd=dir_fd, follow_symlinks=False)
                except OSError:
                    pass  # who saves it finds out what it is
                else:
                    unchanged = base.unchanged(line, at, now)
                    if unchanged is not None:
                        same.append(unchanged)
                        continue
            self._add(same)
            self.save(path, dir_fd, name, found, known=line is not None)
        self._add(same)

    def _add(self, same: list[bytes]) -> None:
        if same:
            self._listing.add_all(same)
            same.clear()

    def save(
        self,
        path: bytes,
        dir_fd: int,
        name: bytes,
        found: os.stat_result | None,
        *,
        known: bool,
    ) -> None:
        """Save an object; known -- the base has a line of it."""
        before = self._listing.objects
        self._take(path, dir_fd, name, found)
        if known and self._listing.objects == before:
            # It vanished meanwhile, or is a socket by now.
            self._listing.gone(path)
