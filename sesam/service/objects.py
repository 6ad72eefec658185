"""Saving objects: each one read once, into the tar and a line of the listing.

The path of a regular file is short on purpose: a site has millions of them. A line
holds the stat taken before the first byte was read; what changed since, could not be
read whole, or changed so shortly before that the clock of the file system cannot tell,
is marked, so that the next INCR takes it again.
"""

import os
import stat
from collections.abc import Callable
from errno import ENOENT, ENOTSUP
from os import close, fstat, listxattr, read
from os import open as os_open

from sesam.client import content
from sesam.client.acl import acl_text
from sesam.client.walk import Report, reason
from sesam.digest import Digest, hexdigest
from sesam.saveset import tarhead
from sesam.saveset.attributes import (
    attribute_records,
    sparse_map,
    sparse_name,
    sparse_records,
)
from sesam.saveset.frames import FRAME_BYTES
from sesam.saveset.parts import ListingWriter, SegmentWriter
from sesam.saveset.tarhead import Records, padding
from sesam.service.bigfile import stream_extents
from sesam.service.lines import NO_DIGEST, NOT_SAVED, Place, line_of
from sesam.service.links import LinkTable

# Not blocking: a fifo put in the place of a file must not hold the backup.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NOATIME = os.O_NOATIME
_BLOCK = 512
_SMALL = FRAME_BYTES
# A change within one tick of the file system's clock leaves no trace.
_RECENT_NS = 100_000_000
_NO_XATTRS = (ENOTSUP, ENOENT)

_SPECIAL = {
    stat.S_IFIFO: (tarhead.FIFO, b"p"),
    stat.S_IFCHR: (tarhead.CHARACTER, b"c"),
    stat.S_IFBLK: (tarhead.BLOCKDEV, b"b"),
}


class ObjectWriter:
    """Writes objects into the tar of a saveset and its listing.

    clock -- nanoseconds since the epoch, for marks alone
    report -- takes objects that could not be saved as they are, and why
    stopped -- true once the source was told to stop
    """

    def __init__(
        self,
        tar: SegmentWriter,
        listing: ListingWriter,
        *,
        clock: Callable[[], int],
        report: Report,
        stopped: Callable[[], bool],
    ) -> None:
        self._tar = tar
        self._listing = listing
        self._clock = clock
        self._report = report
        self._stopped = stopped
        self._links = LinkTable()
        self.size_bytes = 0
        self.skipped = 0
        self.saved = 0

    def save(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result | None
    ) -> None:
        """Save one object of a walk; what cannot be saved is reported, never raised."""
        if found is None or stat.S_ISREG(found.st_mode):
            self.file(path, dir_fd, name)
        elif not name or stat.S_ISDIR(found.st_mode):
            self.directory(path, dir_fd, found)
        elif found.st_nlink > 1 and self._known_link(path, found):
            pass
        elif stat.S_ISLNK(found.st_mode):
            self.symlink(path, dir_fd, name, found)
        elif stat.S_ISSOCK(found.st_mode):
            self.skipped += 1
        else:
            self.special(path, dir_fd, name, found)

    def file(self, path: bytes, dir_fd: int, name: bytes) -> None:
        """Save a regular file."""
        try:
            try:
                fd = os_open(name, _FLAGS | _NOATIME, dir_fd=dir_fd)
            except PermissionError:
                fd = os_open(name, _FLAGS, dir_fd=dir_fd)
        except OSError as error:
            return self._unopened(path, dir_fd, name, error)
        try:
            found = fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return self._report(path, "was replaced by another type of object")
            size = found.st_size
            if found.st_nlink > 1 and self._known_link(path, found):
                return None
            if size > _SMALL or found.st_blocks * _BLOCK < size:
                return self._large(path, fd, found)
            mark = found.st_ctime_ns > self._clock() - _RECENT_NS
            data = read(fd, size + 1)
            more = self._attributes(path, fd) if _has_attributes(fd) else None
            after = fstat(fd)
        except OSError as error:
            self._line(path, b"f", found, NO_DIGEST, NOT_SAVED, mark=True)
            return self._report(path, f"cannot be read: {reason(error)}")
        finally:
            close(fd)
        if len(data) != size or after.st_ctime_ns != found.st_ctime_ns:
            self._report(path, "changed while it was read")
            mark = True
        tar = self._tar
        size = len(data)
        tar.room_for(size + 3 * _BLOCK)
        place = b".", tar.segment, tar.offset
        head = tarhead.member(
            path[1:],
            tarhead.FILE,
            found.st_mode & 0o7777,
            content.owner(found.st_uid, found.st_gid),
            size,
            found.st_mtime_ns,
            more=more,
        )
        tar.add(head, data, padding(size))
        self.size_bytes += size
        digest = hexdigest(data).encode()
        if found.st_nlink > 1:
            self._links.remember(found, path[1:], place, digest)
        self._line(path, b"f", found, digest, place, mark=mark)
        return None

    def directory(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """Save a directory, open as `fd`."""
        name = path[1:] + b"/" if path != b"/" else b"./"
        self._bare(path, b"d", tarhead.DIRECTORY, found, name, xattrs_of=fd)

    def symlink(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result
    ) -> None:
        """Save a symbolic link."""
        try:
            target = os.readlink(name, dir_fd=dir_fd)
        except OSError as error:
            return self._report(path, reason(error))
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        self._bare(
            path, b"l", tarhead.SYMLINK, found, path[1:], target=target, xattrs_of=at
        )
        return None

    def special(
        self, path: bytes, dir_fd: int, name: bytes, found: os.stat_result
    ) -> None:
        """Save a fifo or a device."""
        flag, letter = _SPECIAL[stat.S_IFMT(found.st_mode)]
        at = b"/proc/self/fd/%d/%b" % (dir_fd, name)
        self._bare(path, letter, flag, found, path[1:], xattrs_of=at)

    def _bare(
        self,
        path: bytes,
        letter: bytes,
        flag: int,
        found: os.stat_result,
        name: bytes,
        *,
        target: bytes = b"",
        xattrs_of: int | bytes,
    ) -> None:
        """Save an object that is a header and no content."""
        device = (0, 0)
        if letter in b"cb":
            device = os.major(found.st_rdev), os.minor(found.st_rdev)
        mark = found.st_ctime_ns > self._clock() - _RECENT_NS
        head = tarhead.member(
            name,
            flag,
            found.st_mode & 0o7777,
            content.owner(found.st_uid, found.st_gid),
            0,
            found.st_mtime_ns,
            target,
            device,
            self._attributes(path, xattrs_of),
        )
        tar = self._tar
        tar.room_for(len(head))
        place = b".", tar.segment, tar.offset
        tar.add(head)
        if found.st_nlink > 1 and letter != b"d":
            self._links.remember(found, path[1:], place, NO_DIGEST)
        self._line(path, letter, found, NO_DIGEST, place, mark=mark, target=target)

    def _large(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """Save a file that does not fit one frame, or has holes."""
        size = found.st_size
        mark = found.st_ctime_ns > self._clock() - _RECENT_NS
        extents = [(0, size)]
        if found.st_blocks * _BLOCK < size:
            extents = content.extents(fd, size)
        more = self._attributes(path, fd) or []
        name, stored, holes = path[1:], size, b""
        if extents != [(0, size)]:
            holes = sparse_map(extents, size)
            stored = len(holes) + sum(length for _, length in extents)
            more = [*sparse_records(name, size), *more]
            name = sparse_name(name)
        head = tarhead.member(
            name,
            tarhead.FILE,
            found.st_mode & 0o7777,
            content.owner(found.st_uid, found.st_gid),
            stored,
            found.st_mtime_ns,
            more=more,
        )
        tar = self._tar
        tar.room_for(len(head) + stored)
        place = b".", tar.segment, tar.offset
        tar.add(head)
        digest = Digest(holes)
        tar.stream(holes)
        missing = stream_extents(fd, extents, tar, digest, self._stopped)
        tar.stream(padding(stored))
        after = fstat(fd)
        if missing:
            self._report(
                path, f"could not be read whole: zeros stand for {missing} bytes"
            )
        elif (after.st_ctime_ns, after.st_size) != (found.st_ctime_ns, size):
            self._report(path, "changed while it was read")
        mark = mark or missing > 0 or after.st_ctime_ns != found.st_ctime_ns
        self.size_bytes += stored - len(holes)
        text = digest.hexdigest().encode()
        if found.st_nlink > 1:
            self._links.remember(found, path[1:], place, text)
        self._line(path, b"f", found, text, place, mark=mark)

    def _attributes(self, path: bytes, target: int | bytes) -> Records | None:
        try:
            found = content.xattrs(target)
            return attribute_records(found, acl_text) if found else None
        except (OSError, ValueError) as error:
            if not isinstance(error, OSError) or error.errno not in _NO_XATTRS:
                why = reason(error) if isinstance(error, OSError) else str(error)
                self._report(path, f"its attributes cannot be read: {why}")
            return None

    def _unopened(self, path: bytes, dir_fd: int, name: bytes, error: OSError) -> None:
        """The directory said "file", but it does not open: say what it is by now."""
        try:
            found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            return self._report(path, "vanished before it was read")
        except OSError as worse:
            return self._report(path, reason(worse))
        if stat.S_ISREG(found.st_mode):
            self._line(path, b"f", found, NO_DIGEST, NOT_SAVED, mark=True)
            return self._report(path, f"cannot be opened: {reason(error)}")
        if stat.S_ISDIR(found.st_mode):
            return self._report(path, "was replaced by a directory")
        return self.save(path, dir_fd, name, found)

    def _known_link(self, path: bytes, found: os.stat_result) -> bool:
        """Save a further name of an object that is in the tar already."""
        known = self._links.meet(found)
        if known is None:
            return False
        first, place, digest = known
        owner = content.owner(found.st_uid, found.st_gid)
        head = tarhead.member(
            path[1:],
            tarhead.LINK,
            found.st_mode & 0o7777,
            owner,
            0,
            found.st_mtime_ns,
            first,
        )
        self._tar.room_for(len(head))
        self._tar.add(head)
        letter = _letter(found.st_mode)
        self._line(path, letter, found, digest, place, mark=False)
        return True

    def _line(
        self,
        path: bytes,
        letter: bytes,
        found: os.stat_result,
        digest: bytes,
        place: Place,
        *,
        mark: bool,
        target: bytes = b"",
    ) -> None:
        if place is not NOT_SAVED:
            self.saved += 1
        self._listing.add(line_of(path, letter, found, digest, place, mark, target))


def _has_attributes(fd: int) -> bool:
    try:
        return bool(listxattr(fd))
    except OSError:
        return False  # a file system without attributes


def _letter(mode: int) -> bytes:
    if stat.S_ISREG(mode):
        return b"f"
    if stat.S_ISLNK(mode):
        return b"l"
    return _SPECIAL[stat.S_IFMT(mode)][1]
