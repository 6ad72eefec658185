"""Restoring directories: made empty, dressed when all that lies in them is there.

Beside a directory that was made and is not finished lies an empty file under its
temporary name. Without it a restore that goes on could not tell such a directory from
one that was there before and is to be kept as it is. What lies in such a directory was
made by the restore as well and needs no mark of its own.
"""

import os
import stat
from collections.abc import Callable, Collection

from sesam.client.descent import Descent, Level, components_of, open_directory
from sesam.client.dress import Dresser
from sesam.client.making import part_name, remove_part
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.client.standing import look, move_away

_MARK = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Directories:
    """Restores the directories of one target; what fails while leaving is reported."""

    def __init__(
        self,
        descent: Descent,
        dresser: Dresser,
        *,
        existing: Existing,
        report: Callable[[bytes, str], object],
    ) -> None:
        self._descent = descent
        self._dresser = dresser
        self._existing = existing
        self._report = report

    def ancestor(self, obj: TreeObject) -> Outcome:
        """Make a directory that leads to what was asked for; raises as `place`."""
        return self.place(obj, asked=False)

    def place(self, obj: TreeObject, *, asked: bool = True) -> Outcome:
        """Restore a directory; asked -- not just because it leads to what was asked.

        Raises OSError, UnsafePath.
        """
        if not obj.path:
            return self._target(obj, asked)
        above, name = self._descent.parent(obj.path, make_plain)
        mark = b"" if above.fresh else part_name(name)
        may_be_there = not above.new or name <= above.last
        found = look(name, above.fd) if may_be_there else None
        made = found is None or not stat.S_ISDIR(found.st_mode)
        if not made:
            unfinished = above.fresh or look(mark, above.fd) is not None
            if not unfinished and (not asked or self._existing is Existing.KEEP):
                return Outcome.SAME
        else:
            if found is not None:
                if self._stays(obj, found, asked):
                    return Outcome.KEPT
                self._clear(name, above.fd)
            self._make(name, above.fd, mark)
        above.last = name
        level = self._descent.down(name)
        if made or unfinished:
            level.made_in(above, new=made)
        self._finish_later(level, obj, mark)
        return Outcome.WRITTEN

    def make_way(self, path: bytes, known: Collection[bytes]) -> None:
        """Make what is missing of a directory that several processes restore into.

        known -- those on the way whose turn comes: they are finished then
        Raises OSError, UnsafePath; NotADirectoryError where something is in the way.
        """
        fresh, at = False, b""
        parent = self._descent.target()
        try:
            for name in components_of(path):
                at = at + b"/" + name if at else name
                fresh = fresh or look(part_name(name), parent) is not None
                if look(name, parent) is None:
                    if at in known:
                        self._make(name, parent, b"" if fresh else part_name(name))
                        fresh = True
                    else:
                        make_plain(parent, name)
                below = open_directory(name, parent)
                os.close(parent)
                parent = below
        finally:
            os.close(parent)

    def go_by(self, path: bytes) -> None:
        """Go to a directory that another process has made the way to, and finishes.

        Raises OSError, UnsafePath.
        """
        above = self._descent.enter(b"", make_plain)
        for name in components_of(path):
            unfinished = above.fresh or look(part_name(name), above.fd) is not None
            level = self._descent.down(name)
            if unfinished:
                level.made_in(above, new=False)
            above = level

    def _make(self, name: bytes, parent: int, mark: bytes) -> None:
        """Make a directory; mark -- name of the mark it gets, b"" for none."""
        if mark:
            os.close(os.open(mark, _MARK, 0o600, dir_fd=parent))
        # Open to its owner alone until it is finished.
        os.mkdir(name, 0o700, dir_fd=parent)

    def _target(self, obj: TreeObject, asked: bool) -> Outcome:
        if asked and self._existing is not Existing.KEEP:
            level = self._descent.enter(b"", make_plain)
            self._finish_later(level, obj, b"")
        return Outcome.SAME

    def _stays(self, obj: TreeObject, found: os.stat_result, asked: bool) -> bool:
        """Tell whether what is no directory keeps the place of one."""
        if not asked or self._existing is Existing.KEEP:
            return True
        newer = found.st_mtime_ns >= obj.mtime_ns
        return self._existing is Existing.OLDER and newer

    def _clear(self, name: bytes, parent: int) -> None:
        if self._existing is Existing.RENAME:
            move_away(name, parent)
        else:
            os.unlink(name, dir_fd=parent)

    def _finish_later(self, level: Level, obj: TreeObject, mark: bytes) -> None:
        # The path comes back on leaving: held here it would be there once a level.
        bare = obj.without_path()

        def leave(level: Level, parent: int, path: bytes) -> None:
            bare.path = path
            self._dresser.dress_open(level.fd, bare)
            if mark and not level.failed:
                remove_part(mark, parent)

        level.leave = leave


def make_plain(parent: int, name: bytes) -> None:
    """Make a directory of which nothing is known: rights as the umask has them."""
    os.mkdir(name, dir_fd=parent)
