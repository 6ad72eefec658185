"""Restoring directories: made empty, dressed when all that lies in them is there.

Beside a directory that was made and is not finished lies an empty file under its
temporary name. Without it a restore that goes on could not tell such a directory from
one that was there before and is to be kept as it is.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import replace

from sesam.client.descent import Descent, components_of
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

    def place(self, obj: TreeObject, *, asked: bool) -> Outcome:
        """Restore a directory; asked -- not just because it leads to what was asked.

        Raises OSError, UnsafePath.
        """
        if not obj.path:
            return self._target(obj, asked)
        *above, name = components_of(obj.path)
        parent = self._descent.enter(above, make_plain)
        mark = part_name(name)
        found = look(name, parent)
        if found is not None and stat.S_ISDIR(found.st_mode):
            unfinished = look(mark, parent) is not None
            if not unfinished and (not asked or self._existing is Existing.KEEP):
                return Outcome.SAME
        else:
            if found is not None:
                if self._stays(obj, found, asked):
                    return Outcome.KEPT
                self._clear(name, parent)
            os.close(os.open(mark, _MARK, 0o600, dir_fd=parent))
            # Open to its owner alone until it is finished.
            os.mkdir(name, 0o700, dir_fd=parent)
        self._descent.enter([*above, name], make_plain)
        self._finish_later(replace(obj), mark)
        return Outcome.WRITTEN

    def _target(self, obj: TreeObject, asked: bool) -> Outcome:
        if asked and self._existing is not Existing.KEEP:
            self._descent.enter([], make_plain)
            self._finish_later(replace(obj), b"")
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

    def _finish_later(self, obj: TreeObject, mark: bytes) -> None:
        # The path comes back on leaving: held here it would be there once a level.
        obj.path = b""

        def leave(fd: int, parent: int, path: bytes) -> None:
            obj.path = path
            try:
                self._dresser.dress_open(fd, obj, fresh=False)
            except (OverflowError, ValueError) as error:
                self._report(path, f"cannot be finished: {error}")
            if mark:
                remove_part(mark, parent)

        self._descent.on_leaving(leave)


def make_plain(parent: int, name: bytes) -> None:
    """Make a directory of which nothing is known: rights as the umask has them."""
    os.mkdir(name, dir_fd=parent)
