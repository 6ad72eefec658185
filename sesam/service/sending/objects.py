"""Saving objects: each one read once, into the tar and a line of the listing.

The path of a regular file is short on purpose: a site has millions of them. A line
holds the stat taken before the first byte was read; what changed since, could not be
read whole, or changed so shortly before that the clock of the file system cannot tell,
is marked, so that the next INCR takes it again.
"""

import os
import stat
from collections.abc import Callable, Sequence
from os import close, fstat, listxattr, read
from os import open as os_open

from sesam.client.content import owner, stamping_clock
from sesam.client.walk import reason
from sesam.digest import hexdigest
from sesam.saveset.frames import FRAME_BYTES
from sesam.saveset.tarhead import FILE, member
from sesam.service.sending.bigfile import save_large
from sesam.service.sending.lines import NO_DIGEST, NOT_SAVED
from sesam.service.sending.pen import RECENT_NS, Pen

# Not blocking: a fifo put in the place of a file must not hold the backup.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NOATIME = os.O_NOATIME
_BLOCK = 512
_SMALL = FRAME_BYTES

_SPECIAL = {stat.S_IFIFO: b"p", stat.S_IFCHR: b"c", stat.S_IFBLK: b"b"}


class ToldToStop(Exception):
    """The source was told to stop while a large file was at hand."""


class ObjectWriter:
    """Saves objects of every kind; `stopped` tells that the source was told to stop."""

    def __init__(self, pen: Pen, stopped: Callable[[], bool]) -> None:
        self._pen = pen
        self._stopped = stopped
        self.skipped = 0

    def save_all(
        self,
        prefix: bytes,
        dir_fd: int,
        names: Sequence[bytes],
        found: os.stat_result | None,
    ) -> None:
        """Save objects of a walk, as it yields them."""
        for name in names:
            self.save(prefix + name, dir_fd, name, found)

    def save(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result | None
    ) -> None:
        """Save one object of a walk; what cannot be saved is reported, never raised."""
        if found is None or stat.S_ISREG(found.st_mode):
            self.file(path, dir_fd, name)
        elif not name:
            self.directory(path, dir_fd, found)
        elif stat.S_ISDIR(found.st_mode):
            self.closed_directory(path, dir_fd, name, found)
        elif stat.S_ISLNK(found.st_mode):
            self.symlink(path, dir_fd, name, found)
        elif found.st_nlink > 1 and self._pen.known_link(path, found):
            pass
        elif stat.S_ISSOCK(found.st_mode):
            self.skipped += 1
        else:
            self.special(path, dir_fd, name, found)

    def file(self, path: bytes, dir_fd: int, name: bytes) -> None:
        """Save a regular file."""
        pen = self._pen
        try:
            try:
                fd = os_open(name, _FLAGS | _NOATIME, dir_fd=dir_fd)
            except PermissionError:
                fd = os_open(name, _FLAGS, dir_fd=dir_fd)
        except OSError as error:
            return self._unopened(path, dir_fd, name, error)
        try:
            found = fstat(fd)
            size, ctime = found.st_size, found.st_ctime_ns
            if not stat.S_ISREG(found.st_mode):
                return pen.report(path, "was replaced by another type of object")
            if found.st_nlink > 1 and pen.known_link(path, found):
                return None
            if size > _SMALL or found.st_blocks * _BLOCK < size:
                return self._large(path, fd, found)
            mark = ctime > stamping_clock() - RECENT_NS
            try:
                data = read(fd, size + 1)
                if len(data) != size:
                    data, whole = _rest(fd, data, size)
                    # No ctime is 0: then it counts as changed.
                    ctime = ctime if whole else 0
                more = pen.attributes(path, fd) if _has_attributes(fd) else None
                after = fstat(fd)
            except OSError as error:
                return pen.unread(path, found, error)
        finally:
            close(fd)
        if after.st_ctime_ns != ctime:
            pen.report(path, "changed while it was read")
            mark, size = True, len(data)
        place = pen.tar.member(
            member(
                path[1:],
                FILE,
                found.st_mode & 0o7777,
                owner(found.st_uid, found.st_gid),
                size,
                found.st_mtime_ns,
                more=more,
            ),
            data,
        )
        pen.size_bytes += size
        digest = hexdigest(data).encode()
        if found.st_nlink > 1:
            pen.links.remember(found, path[1:], place, digest)
        pen.line(path, b"f", found, digest, place, mark=mark)
        return None

    def _large(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """Save a large file; told to stop, not one more, and zeros for its rest."""
        if not self._stopped():
            save_large(self._pen, path, fd, found, self._stopped)
        if self._stopped():
            raise ToldToStop

    def directory(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """Save a directory, open as `fd`."""
        name = path[1:] + b"/" if path != b"/" else b"./"
        self._pen.bare(path, b"d", found, name, xattrs_of=fd)

    def closed_directory(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result
    ) -> None:
        """Save a directory that cannot be looked into: by name, and marked."""
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        inside = path[1:] + b"/"
        self._pen.bare(path, b"d", found, inside, xattrs_of=at, mark=True)

    def symlink(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result
    ) -> None:
        """Save a symbolic link."""
        try:
            target = os.readlink(name, dir_fd=dir_fd)
        except OSError as error:
            return self._pen.report(path, reason(error))
        if found.st_nlink > 1 and self._pen.known_link(path, found, target):
            return None
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        self._pen.bare(path, b"l", found, path[1:], target=target, xattrs_of=at)
        return None

    def special(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result
    ) -> None:
        """Save a fifo or a device."""
        letter = _SPECIAL[stat.S_IFMT(found.st_mode)]
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        self._pen.bare(path, letter, found, path[1:], xattrs_of=at)

    def _unopened(self, path: bytes, dir_fd: int, name: bytes, error: OSError) -> None:
        """The directory said "file", but it does not open: say what it is by now."""
        try:
            found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            return self._pen.report(path, "vanished before it was read")
        except OSError as worse:
            return self._pen.report(path, reason(worse))
        if stat.S_ISREG(found.st_mode):
            self._pen.line(path, b"f", found, NO_DIGEST, NOT_SAVED, mark=True)
            return self._pen.report(path, f"cannot be opened: {reason(error)}")
        if stat.S_ISDIR(found.st_mode):
            return self._pen.report(path, "was replaced by a directory")
        return self.save(path, dir_fd, name, found)


def _rest(fd: int, data: bytes, size: int) -> tuple[bytes, bool]:
    """Return what to keep of a file that did not give its size, and whether it did now.

    A short read is no end yet; of one that grew the rest is left. A size of 0 may be a
    kernel's file, which has one and does not say it: then all of it, within a frame.
    """
    grown, limit = len(data) > size, size or _SMALL
    while 0 < len(data) < limit and (more := read(fd, limit - len(data))):
        data += more
    return data[:limit], len(data) == size and not grown


def _has_attributes(fd: int) -> bool:
    try:
        return bool(listxattr(fd))
    except OSError:
        return False  # a file system without attributes
