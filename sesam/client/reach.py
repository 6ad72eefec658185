"""Coming to an object of a walk once more, by its path."""

import os
import stat
from collections.abc import Callable

from sesam.client.opening import OPEN, open_parent
from sesam.rules.paths import is_below

_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# As Walk yields one object: path, descriptor, name, stat.
Take = Callable[[bytes, int, bytes, os.stat_result | None], object]


def reach(source: bytes, path: bytes, take: Take) -> None:
    """Hand the object at `path`, at or below `source`, to `take` as a walk does.

    No symbolic link below the source is followed. Raises OSError where it is gone.
    """
    fd, name = open_parent(source)
    try:
        if path != source and is_below(path, source):
            for step in (name, *path[len(source) :].strip(b"/").split(b"/")[:-1]):
                below = os.open(step, _STEP, dir_fd=fd)
                os.close(fd)
                fd = below
            name = path.rpartition(b"/")[2]
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            take(path, fd, name, None)
        elif stat.S_ISDIR(found.st_mode):
            _directory(path, fd, name, found, take)
        else:
            take(path, fd, name, found)
    finally:
        os.close(fd)


def _directory(
    path: bytes, parent: int, name: bytes, found: os.stat_result, take: Take
) -> None:
    try:
        fd = os.open(name, OPEN, dir_fd=parent)
    except OSError:
        take(path, parent, name, found)
        return
    try:
        take(path, fd, b"", os.fstat(fd))
    finally:
        os.close(fd)
