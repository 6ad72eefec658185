"""Giving a restored object its owner, mode, attributes and time, in this order.

The owner first, because chown takes setuid and capabilities away; the time last,
because whatever comes before moves it, and because it is what marks an object finished.
"""

import os
from collections.abc import Callable
from errno import ENOTSUP, EOPNOTSUPP, EPERM
from functools import partial

from sesam.client.objects import TreeObject
from sesam.client.owners import gid_of, uid_of
from sesam.terms import Kind

_SPECIAL_BITS = 0o6000
_MOST_NS = (1 << 63) - 1
Complain = Callable[[bytes, str], object]


class Dresser:
    """numeric -- owners by number, whatever names this machine knows
    complain -- takes a path and what could not be given to it
    """

    def __init__(self, *, numeric: bool, complain: Complain) -> None:
        self._numeric = numeric
        self._complain = complain
        self._uid, self._gid = os.geteuid(), os.getegid()

    def dress_open(self, fd: int, obj: TreeObject, *, fresh: bool) -> None:
        """Dress an open file or directory; fresh -- it was made by this process."""
        mode = self._own(obj, fd, None, fresh=fresh)
        os.fchmod(fd, mode)
        for name, value in obj.xattrs.items():
            self._attribute(obj, name, partial(os.setxattr, fd, name, value))
        os.utime(fd, ns=_times(obj))

    def dress_named(self, name: bytes, dir_fd: int, obj: TreeObject) -> None:
        """Dress what cannot be opened: a link, a fifo, a device made just now."""
        mode = self._own(obj, name, dir_fd, fresh=True)
        if obj.kind is not Kind.SYMLINK:
            os.chmod(name, mode, dir_fd=dir_fd)
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        for key, value in obj.xattrs.items():
            give = partial(os.setxattr, at, key, value, follow_symlinks=False)
            self._attribute(obj, key, give)
        os.utime(name, ns=_times(obj), dir_fd=dir_fd, follow_symlinks=False)

    def _own(
        self, obj: TreeObject, what: int | bytes, dir_fd: int | None, *, fresh: bool
    ) -> int:
        """Give the object its owner; return the mode that it may have then."""
        uid, gid = obj.uid, obj.gid
        if not self._numeric:
            uid, gid = uid_of(obj.user, uid), gid_of(obj.group, gid)
        if fresh and (uid, gid) == (self._uid, self._gid):
            return obj.mode
        try:
            if isinstance(what, int):
                os.fchown(what, uid, gid)
            else:
                os.chown(what, uid, gid, dir_fd=dir_fd, follow_symlinks=False)
        except OSError as error:
            if error.errno != EPERM:
                raise
            self._complain(obj.path, "its owner cannot be set without being root")
            # What was setuid for its owner must not become so for another one.
            return obj.mode & ~_SPECIAL_BITS
        return obj.mode

    def _attribute(
        self, obj: TreeObject, name: str, give: Callable[[], object]
    ) -> None:
        try:
            give()
        except OSError as error:
            if error.errno in (ENOTSUP, EOPNOTSUPP):
                why = "the file system of the target has no such attributes"
            elif error.errno == EPERM:
                why = "not without being root"
            else:
                why = error.strerror or "refused"
            self._complain(obj.path, f"its attribute {name} cannot be set: {why}")


def _times(obj: TreeObject) -> tuple[int, int]:
    # A damaged or hostile time must not end a restore: the kernel takes what it can.
    ns = max(-_MOST_NS, min(obj.mtime_ns, _MOST_NS))
    return ns, ns
