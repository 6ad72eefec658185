"""Names that come into directories which another process has finished.

So it is with a further name of an object that was restored elsewhere. The directory
keeps its times, and its mark stays beside it, or beside one above it, until then: a
restore that is interrupted finishes it once more.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from sesam.client.descent import Descent, components_of
from sesam.client.directories import make_plain
from sesam.client.making import part_name, remove_part
from sesam.client.standing import look

_MINE = stat.S_IWUSR | stat.S_IXUSR


def leave_open(descent: Descent, path: bytes) -> None:
    """A name is still to come: the marks above it stay. Raises OSError, UnsafePath."""
    level, _ = descent.parent(path, make_plain)
    level.failed = True


@contextmanager
def reopened(descent: Descent, path: bytes) -> Iterator[None]:
    """Let one entry into the finished directory that is to hold `path`.

    Raises OSError, UnsafePath.
    """
    level, _ = descent.parent(path, make_plain)
    before = os.fstat(level.fd)
    mode = stat.S_IMODE(before.st_mode)
    closed = mode & _MINE != _MINE
    if closed:
        os.fchmod(level.fd, mode | _MINE)
    try:
        yield
    finally:
        level, _ = descent.parent(path, make_plain)
        if closed:
            os.fchmod(level.fd, mode)
        os.utime(level.fd, ns=(before.st_atime_ns, before.st_mtime_ns))


def unmark(descent: Descent, paths: Iterable[bytes], way: Collection[bytes]) -> None:
    """Take away the marks above what has come.

    way -- directories that keep theirs: they are not finished. Raises OSError.
    """
    known = set(way)
    for path in paths:
        at = b""
        for name in components_of(path)[:-1]:
            at = at + b"/" + name if at else name
            if at in known:
                continue
            known.add(at)
            level, _ = descent.parent(at, make_plain)
            if look(part_name(name), level.fd) is not None:
                with reopened(descent, at):
                    remove_part(part_name(name), level.fd)
