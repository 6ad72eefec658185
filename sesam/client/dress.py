"""Giving a restored object its owner, mode, attributes and time, in this order.

The owner first, because chown takes setuid and capabilities away; attributes before
the mode, because a file that its owner may not write takes none from him; the time
last, because it is what marks an object finished.
"""

import os
from collections.abc import Callable
from errno import ENOTSUP, EOPNOTSUPP, EPERM
from functools import partial
from stat import S_IMODE

from sesam.client.descent import DEFAULT_ACL, Level
from sesam.client.objects import TreeObject
from sesam.client.owners import gid_of, uid_of
from sesam.terms import Kind

_SPECIAL_BITS = 0o6000
_GROUP_BITS = 0o070
_ACCESS = "system.posix_acl_access"
_ACLS = (_ACCESS, DEFAULT_ACL)
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
        umask = os.umask(0o077)
        os.umask(umask)
        self._not_at_birth = ~0o777 | umask

    def mode_at_birth(self, obj: TreeObject, above: Level) -> int:
        """Return the mode to make a file with that then lacks nothing but its time.

        -1 where it has to be dressed: for another owner, attributes, special bits, or
        where it gets from its directory what it had not.
        """
        mode = obj.mode
        if (
            mode & self._not_at_birth
            or obj.xattrs
            or above.inherits
            or self._owner(obj) != (self._uid, self._gid)
        ):
            return -1
        return mode

    def stamp(self, fd: int, obj: TreeObject) -> None:
        """Give an open file its time: with that it is finished."""
        os.utime(fd, ns=_times(obj))

    def dress_open(self, fd: int, obj: TreeObject) -> None:
        """Dress an open file or directory."""
        mode = self._own(obj, fd, None)
        mode = self._attributes(obj, fd, mode)
        os.fchmod(fd, mode)
        os.utime(fd, ns=_times(obj))

    def dress_named(self, name: bytes, dir_fd: int, obj: TreeObject) -> None:
        """Dress what cannot be opened: a link, a fifo, a device made just now."""
        mode = self._own(obj, name, dir_fd)
        mode = self._attributes(obj, _at(name, dir_fd), mode)
        if obj.kind is not Kind.SYMLINK:
            os.chmod(name, mode, dir_fd=dir_fd)
        os.utime(name, ns=_times(obj), dir_fd=dir_fd, follow_symlinks=False)

    def fits(
        self, obj: TreeObject, found: os.stat_result, name: bytes, parent: int
    ) -> bool:
        """Tell whether what is there wears what it would be given. Raises OSError."""
        if not self._attributes_fit(obj, _at(name, parent)):
            return False
        owned = self._owner(obj) == (found.st_uid, found.st_gid)
        if self._uid == 0 and not owned:
            return False
        if obj.kind is Kind.SYMLINK:
            return True
        mode = obj.mode if owned else obj.mode & ~_SPECIAL_BITS
        return S_IMODE(found.st_mode) == mode

    def _attributes_fit(self, obj: TreeObject, at: bytes) -> bool:
        """Compare what this process may give; a label of the machine's own is none."""
        has = {name: os.getxattr(at, name, follow_symlinks=False) for name in _list(at)}
        given = {name for name in obj.xattrs if self._uid == 0 or _may_be_given(name)}
        given.update(name for name in has if _may_be_given(name))
        return all(has.get(name) == obj.xattrs.get(name) for name in given)

    def _owner(self, obj: TreeObject) -> tuple[int, int]:
        if self._numeric:
            return obj.uid, obj.gid
        return uid_of(obj.user, obj.uid), gid_of(obj.group, obj.gid)

    def _own(self, obj: TreeObject, what: int | bytes, dir_fd: int | None) -> int:
        """Give the object its owner; return the mode that it may have then."""
        uid, gid = self._owner(obj)
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

    def _attributes(self, obj: TreeObject, at: int | bytes, mode: int) -> int:
        """Give the object its attributes; return the mode that it may have then."""
        follow = isinstance(at, int)
        self._disinherit(obj, at)
        for name, value in obj.xattrs.items():
            give = partial(os.setxattr, at, name, value, follow_symlinks=follow)
            # With an ACL the group's bits are its mask: without it they say too much.
            if not self._attribute(obj, name, give) and name == _ACCESS:
                mode &= ~_GROUP_BITS
        return mode

    def _disinherit(self, obj: TreeObject, at: int | bytes) -> None:
        """Take away the ACLs that a directory above has given and the object had not.

        Raises OSError.
        """
        for name in _list(at):
            if name in _ACLS and name not in obj.xattrs:
                os.removexattr(at, name, follow_symlinks=isinstance(at, int))

    def _attribute(
        self, obj: TreeObject, name: str, give: Callable[[], object]
    ) -> bool:
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
            return False
        return True


def _may_be_given(name: str) -> bool:
    """Tell whether an owner without privileges gives such an attribute."""
    return name in _ACLS or name.startswith("user.")


def _at(name: bytes, parent: int) -> bytes:
    # No call for attributes takes a directory's descriptor and a name.
    return b"/proc/self/fd/%d/%b" % (parent, name)


def _list(at: int | bytes) -> list[str]:
    """Return the names of an object's attributes, a link's own. Raises OSError."""
    try:
        return os.listxattr(at, follow_symlinks=isinstance(at, int))
    except OSError as error:
        if error.errno in (ENOTSUP, EOPNOTSUPP):
            return []
        raise


def _times(obj: TreeObject) -> tuple[int, int]:
    # A damaged or hostile time must not end a restore: the kernel takes what it can.
    ns = max(-_MOST_NS, min(obj.mtime_ns, _MOST_NS))
    return ns, ns
