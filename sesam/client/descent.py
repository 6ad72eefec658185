"""Going down a tree by file descriptors, never through a symbolic link.

Objects come in walk order, so that the directories on the way stay open; only so many
of them, that a path may be as deep as it likes.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ELOOP, ENOTDIR

from sesam.errors import UnsafePath

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_LEVELS = 64
# What has to be done when the walk leaves a directory: it, and the one that holds it.
Leave = Callable[[int, int], object]


class _Level:
    __slots__ = ("fd", "leave", "name")

    def __init__(self, name: bytes, fd: int) -> None:
        self.name = name
        self.fd = fd
        self.leave: Leave | None = None


class Descent:
    """The open directories from the target down to where the restore is.

    target -- the one path that is followed as the admin gave it. Raises OSError.
    """

    def __init__(self, target: bytes) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._levels = [_Level(b"", os.open(target, flags))]

    def enter(
        self, components: Sequence[bytes], make: Callable[[int, bytes], object]
    ) -> int:
        """Return the descriptor of a directory below the target.

        make -- called with (directory, name) where a component is missing
        Raises NotADirectoryError where a symbolic link or a file is in the way.
        """
        levels = self._levels
        depth = 0
        while (
            depth < len(components)
            and depth + 1 < len(levels)
            and levels[depth + 1].name == components[depth]
        ):
            depth += 1
        self._leave_to(depth + 1)
        for name in components[depth:]:
            parent = self._fd(len(levels) - 1)
            try:
                fd = _open(name, parent)
            except FileNotFoundError:
                make(parent, name)
                fd = _open(name, parent)
            levels.append(_Level(name, fd))
            if len(levels) > _OPEN_LEVELS + 1:
                self._close(levels[len(levels) - 1 - _OPEN_LEVELS])
        return self._fd(len(levels) - 1)

    def on_leaving(self, leave: Leave) -> None:
        """Have something done to the directory entered last, when it is left."""
        self._levels[-1].leave = leave

    @contextmanager
    def parent_of(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Open the directory that holds `path`, leaving the descent where it is.

        Yields its descriptor and the last component. Raises OSError, UnsafePath.
        """
        *above, name = components_of(path)
        fd = os.dup(self._levels[0].fd)
        try:
            for one in above:
                below = _open(one, fd)
                os.close(fd)
                fd = below
            yield fd, name
        finally:
            os.close(fd)

    def close(self) -> None:
        """Leave all directories."""
        self._leave_to(0)

    def abandon(self) -> None:
        """Close all directories; nothing is done on leaving them."""
        for level in self._levels:
            level.leave = None
        self._leave_to(0)

    def _leave_to(self, depth: int) -> None:
        levels = self._levels
        while len(levels) > depth:
            level = levels[-1]
            try:
                if level.leave is not None:
                    # The target has none above it that would be its parent here.
                    parent = self._fd(max(0, len(levels) - 2))
                    level.leave(self._fd(len(levels) - 1), parent)
            finally:
                # Left in any case, or nothing could be restored after it.
                self._close(level)
                levels.pop()

    def _fd(self, number: int) -> int:
        """Return the descriptor of a level, opened again where it was closed."""
        level = self._levels[number]
        if level.fd < 0:
            above = number - 1
            while self._levels[above].fd < 0:
                above -= 1
            for one in range(above + 1, number + 1):
                fd = _open(self._levels[one].name, self._levels[one - 1].fd)
                self._levels[one].fd = fd
                if one - _OPEN_LEVELS > above:
                    self._close(self._levels[one - _OPEN_LEVELS])
        return level.fd

    def _close(self, level: _Level) -> None:
        # The target itself stays open: it is where every way down begins.
        if level.fd >= 0 and (level.name or len(self._levels) == 1):
            os.close(level.fd)
            level.fd = -1


def components_of(path: bytes) -> list[bytes]:
    """Return the components of a relative path. Raises UnsafePath.

    Refused is what leads out of the target, or is no name at all.
    """
    if not path:
        return []
    found = path.split(b"/")
    for name in found:
        if name in (b"", b".", b"..") or b"\0" in name:
            raise UnsafePath("its name leads out of the target")
    return found


def _open(name: bytes, parent: int) -> int:
    try:
        return os.open(name, _FLAGS, dir_fd=parent)
    except OSError as error:
        # O_NOFOLLOW with O_DIRECTORY: the kernel says ELOOP or ENOTDIR for a link.
        if error.errno in (ELOOP, ENOTDIR):
            raise NotADirectoryError(error.errno, "is no directory", name) from error
        raise
