"""What an open file holds: its extents, its extended attributes, its owner's name."""

import grp
import os
import pwd
from array import array
from errno import ENXIO
from functools import lru_cache
from time import CLOCK_REALTIME, clock_gettime_ns


def extents(fd: int, size: int) -> "array[int]":
    """Return offset and length of each run of data of a file, without its holes.

    They stand one behind the other, 16 bytes a run: a file may have millions.
    size -- bytes up to which to look. Where the file system knows no holes the whole
    file is one extent. Raises OSError.
    """
    found = array("q")
    at = 0
    while at < size:
        try:
            begin = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == ENXIO:  # nothing but a hole up to the end
                break
            raise
        at = min(os.lseek(fd, begin, os.SEEK_HOLE), size)
        if begin >= at:
            break
        found.append(begin)
        found.append(at - begin)
    return found


def xattrs(target: int | bytes) -> dict[str, bytes]:
    """Return the extended attributes of an open file, or of a path itself.

    POSIX ACLs come as the kernel's `system.posix_acl_access` and `..._default`, other
    attributes of the `system` namespace are the file system's own and left out.
    Raises OSError, ENOTSUP where there are none at all.
    """
    follow = isinstance(target, int)
    found = {}
    for name in os.listxattr(target, follow_symlinks=follow):
        if name.startswith("system.") and not name.startswith("system.posix_acl_"):
            continue
        try:
            found[name] = os.getxattr(target, name, follow_symlinks=follow)
        except OSError:
            continue  # taken away since it was listed, or shown but not readable
    return found


def link_xattrs(dir_fd: int, name: bytes) -> dict[str, bytes]:
    """Return the extended attributes of what cannot be opened: a link, a fifo.

    Raises OSError.
    """
    return xattrs(b"/proc/self/fd/%d/%b" % (dir_fd, name))


def stamping_clock() -> int:
    """Return the clock that file systems stamp their objects with, nanoseconds.

    Not the clock of decisions, which may be moved: what it says is compared with the
    ctime of files and nothing else.
    """
    return clock_gettime_ns(CLOCK_REALTIME)


@lru_cache(65536)
def user_name(uid: int) -> bytes:
    """Return the name of a user, b"" where this machine knows none."""
    try:
        return os.fsencode(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return b""


@lru_cache(65536)
def group_name(gid: int) -> bytes:
    """Return the name of a group, b"" where this machine knows none."""
    try:
        return os.fsencode(grp.getgrgid(gid).gr_name)
    except KeyError:
        return b""


@lru_cache(65536)
def owner(uid: int, gid: int) -> tuple[int, int, bytes, bytes]:
    """Return uid, gid, user name, group name."""
    return uid, gid, user_name(uid), group_name(gid)
