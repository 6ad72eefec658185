"""Going down a tree by file descriptors, never through a symbolic link.

Objects come in walk order, so that the directories on the way stay open; only so many
of them, that a path may be as deep as it likes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ELOOP, ENODATA, ENOTDIR, ENOTSUP, EOPNOTSUPP
from stat import S_ISGID

from sesam.errors import UnsafePath

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_LEVELS = 64
_NO_NAMES = (b"", b".", b"..")
DEFAULT_ACL = "system.posix_acl_default"
# Makes a directory that nobody has asked for: in which one, and its name.
Make = Callable[[int, bytes], object]
Report = Callable[[bytes, str], object]


class Level:
    """One directory on the way down.

    fd    -- its descriptor, -1 while it is closed
    new   -- this process made it: nothing is in it that it has not put there
    fresh -- a restore made it, this one or one before that was interrupted
    last  -- name of the last entry made in it
    failed -- a directory below it could not be finished
    """

    __slots__ = ("_inherits", "failed", "fd", "fresh", "last", "leave", "name", "new")

    def __init__(self, name: bytes, fd: int) -> None:
        self.name = name
        self.fd = fd
        self.leave: Leave | None = None
        self.new = self.fresh = self.failed = False
        self.last = b""
        self._inherits: bool | None = None

    @property
    def inherits(self) -> bool:
        """Whether what is made in it gets a group or an ACL from it. Raises OSError."""
        if self._inherits is None:
            self._inherits = bool(os.fstat(self.fd).st_mode & S_ISGID) or has_default(
                self.fd
            )
        return self._inherits

    def made_in(self, above: "Level", *, new: bool) -> None:
        """Say that a restore made it, in the directory `above`."""
        self.fresh = True
        if new:
            self.new = True
            self._inherits = above.inherits


# What has to be done when the walk leaves a directory: to its level, beside the
# descriptor of the directory that holds it; the last is its path below the target.
Leave = Callable[[Level, int, bytes], object]


class Descent:
    """The open directories from the target down to where the restore is.

    target -- the one path that is followed as the admin gave it
    report -- takes a directory that cannot be reached again when it is left
    Raises OSError.
    """

    def __init__(self, target: bytes, report: Report) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._levels = [Level(b"", os.open(target, flags))]
        self._report = report
        # Whether any directory could not be finished.
        self.failed = False
        # The path of the last level, None where it is not known: mostly the next object
        # lies there as well.
        self._path: bytes | None = b""

    def parent(self, path: bytes, make: Make) -> tuple[Level, bytes]:
        """Go to the directory that is to hold `path`; return it and the last name.

        make -- called with (directory, name) where a component is missing
        Raises NotADirectoryError where a symbolic link or a file is in the way,
        UnsafePath.
        """
        directory, _, name = path.rpartition(b"/")
        check_name(name)
        if directory != self._path:
            return self.enter(directory, make), name
        return self._levels[-1], name

    def enter(self, path: bytes, make: Make) -> Level:
        """Go to a directory below the target; raises as `parent`."""
        components = components_of(path)
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
            try:
                self.down(name)
            except FileNotFoundError:
                make(self._fd(len(levels) - 1), name)
                self.down(name)
        self._fd(len(levels) - 1)
        self._path = path
        return levels[-1]

    def down(self, name: bytes) -> Level:
        """Go down from where the walk is. Raises OSError."""
        levels = self._levels
        level = Level(name, open_directory(name, self._fd(len(levels) - 1)))
        if self._path is not None:
            self._path = self._path + b"/" + name if self._path else name
        levels.append(level)
        if len(levels) > _OPEN_LEVELS + 1:
            self._close(levels[len(levels) - 1 - _OPEN_LEVELS])
        return level

    @contextmanager
    def parent_of(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Open the directory that holds `path`, leaving the descent where it is.

        Yields its descriptor and the last component. Raises OSError, UnsafePath.
        """
        *above, name = components_of(path)
        fd = self.target()
        try:
            for one in above:
                below = open_directory(one, fd)
                os.close(fd)
                fd = below
            yield fd, name
        finally:
            os.close(fd)

    def target(self) -> int:
        """Return a descriptor of the target that the caller closes."""
        return os.dup(self._levels[0].fd)

    def unfinished(self) -> None:
        """Say that a directory below those that are open could not be finished."""
        self._levels[-1].failed = True

    def close(self) -> None:
        """Leave all directories, and do what is due on leaving."""
        self._leave_to(0)

    def abandon(self) -> None:
        """Close all directories; nothing is done on leaving them."""
        for level in self._levels:
            level.leave = None
        self._leave_to(0)

    def _leave_to(self, depth: int) -> None:
        levels = self._levels
        if len(levels) > depth:
            self._path = None
        while len(levels) > depth:
            level = levels[-1]
            try:
                if level.leave is not None:
                    self._do_leave(level.leave)
            finally:
                # Left in any case, or nothing could be restored after it.
                self._close(level)
                levels.pop()

    def _do_leave(self, leave: Leave) -> None:
        """Do what is due to the directory entered last.

        What goes wrong here says nothing about the object that comes next.
        """
        levels = self._levels
        # Put together only now: what is deep would take a copy for every level.
        path = b"/".join([level.name for level in levels[1:]])
        try:
            # The target has none above it that would be its parent here.
            parent = self._fd(max(0, len(levels) - 2))
            self._fd(len(levels) - 1)
            leave(levels[-1], parent, path)
        except (OSError, OverflowError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self._report(path, f"cannot be finished: {why}")
            levels[-1].failed = self.failed = True
        if levels[-1].failed and len(levels) > 1:
            levels[-2].failed = True

    def _fd(self, number: int) -> int:
        """Return the descriptor of a level, opened again where it was closed."""
        level = self._levels[number]
        if level.fd < 0:
            above = number - 1
            while self._levels[above].fd < 0:
                above -= 1
            for one in range(above + 1, number + 1):
                fd = open_directory(self._levels[one].name, self._levels[one - 1].fd)
                self._levels[one].fd = fd
                if one - _OPEN_LEVELS > above:
                    self._close(self._levels[one - _OPEN_LEVELS])
        return level.fd

    def _close(self, level: Level) -> None:
        # The target itself stays open: it is where every way down begins.
        if level.fd >= 0 and (level.name or len(self._levels) == 1):
            os.close(level.fd)
            level.fd = -1


def open_below(target: bytes, path: bytes) -> int:
    """Return the descriptor of a directory below the target. Raises OSError."""
    fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for one in components_of(path):
        try:
            below = open_directory(one, fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def components_of(path: bytes) -> list[bytes]:
    """Return the components of a relative path. Raises UnsafePath.

    Refused is what leads out of the target, or is no name at all.
    """
    if not path:
        return []
    found = path.split(b"/")
    for name in found:
        check_name(name)
    return found


def check_name(name: bytes) -> None:
    """Raise UnsafePath where a name is none, or leads somewhere else."""
    if name in _NO_NAMES or b"\0" in name:
        raise UnsafePath("its name leads out of the target")


def has_default(fd: int) -> bool:
    """Tell whether a directory gives an ACL to what is made in it. Raises OSError."""
    try:
        return bool(os.getxattr(fd, DEFAULT_ACL))
    except OSError as error:
        if error.errno in (ENODATA, ENOTSUP, EOPNOTSUPP):
            return False
        raise


def open_directory(name: bytes, parent: int) -> int:
    """Return the descriptor of a directory in another one.

    Raises NotADirectoryError where it is none, or a link to one; OSError.
    """
    try:
        return os.open(name, _FLAGS, dir_fd=parent)
    except OSError as error:
        # O_NOFOLLOW with O_DIRECTORY: the kernel says ELOOP or ENOTDIR for a link.
        if error.errno in (ELOOP, ENOTDIR):
            raise NotADirectoryError(error.errno, "is no directory", name) from error
        raise
