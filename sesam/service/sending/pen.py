"""What every kind of object needs to be saved: the tar, the listing, links, marks."""

import os
import stat
from errno import ENOENT, ENOTSUP

from sesam.client import content
from sesam.client.acl import acl_text
from sesam.client.walk import Report, reason
from sesam.saveset import tarhead
from sesam.saveset.attributes import attribute_records
from sesam.saveset.listing import Place
from sesam.saveset.parts import ListingWriter, SegmentWriter
from sesam.saveset.tarhead import Records
from sesam.service.sending.lines import FLAGS, NO_DIGEST, NOT_SAVED, line_of
from sesam.service.sending.links import LinkTable

# A change within one tick of the file system's clock leaves no trace.
RECENT_NS = 100_000_000
_NO_XATTRS = (ENOTSUP, ENOENT)
_LETTERS = {
    stat.S_IFREG: b"f",
    stat.S_IFLNK: b"l",
    stat.S_IFIFO: b"p",
    stat.S_IFCHR: b"c",
    stat.S_IFBLK: b"b",
}
_TYPES = {
    b"d": tarhead.DIRECTORY,
    b"l": tarhead.SYMLINK,
    b"p": tarhead.FIFO,
    b"c": tarhead.CHARACTER,
    b"b": tarhead.BLOCKDEV,
}


class Pen:
    """Writes headers into the tar of a saveset, and lines into its listing.

    report -- takes objects that could not be saved as they are, and why
    size_bytes, saved -- content bytes, and objects, in the tar so far
    """

    def __init__(
        self,
        tar: SegmentWriter,
        listing: ListingWriter,
        report: Report,
    ) -> None:
        self.tar = tar
        self.report = report
        self.links = LinkTable()
        self.size_bytes = 0
        self.saved = 0
        self._listing = listing
        self._strayed: set[tuple[int, int]] = set()

    def is_recent(self, found: os.stat_result) -> bool:
        """Tell whether an object changed so shortly ago that it must be marked."""
        return found.st_ctime_ns > content.stamping_clock() - RECENT_NS

    def line(
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
        """Add the line of an object to the listing."""
        if place is not NOT_SAVED:
            self.saved += 1
        linked = found.st_nlink > 1 and letter != b"d"
        if linked and self._strayed and (found.st_dev, found.st_ino) in self._strayed:
            # Not tied to its first name by a restore, and taken again by the next INCR.
            linked, mark = False, True
        flags = FLAGS[mark, linked]
        self._listing.add(line_of(path, letter, found, digest, place, flags, target))

    def unread(self, path: bytes, found: os.stat_result, error: OSError) -> None:
        """Add the line of a file whose content cannot be read, and report it."""
        self.line(path, b"f", found, NO_DIGEST, NOT_SAVED, mark=True)
        self.report(path, f"cannot be read: {reason(error)}")

    def attributes(self, path: bytes, target: int | bytes) -> Records | None:
        """Return the records of an object's extended attributes and ACLs."""
        try:
            found = content.xattrs(target)
            return attribute_records(found, acl_text) if found else None
        except (OSError, ValueError) as error:
            if not isinstance(error, OSError) or error.errno not in _NO_XATTRS:
                why = reason(error) if isinstance(error, OSError) else str(error)
                self.report(path, f"its attributes cannot be read: {why}")
            return None

    def bare(
        self,
        path: bytes,
        letter: bytes,
        found: os.stat_result,
        name: bytes,
        *,
        target: bytes = b"",
        xattrs_of: int | bytes,
        mark: bool = False,
    ) -> None:
        """Save an object that is a header and no content."""
        device = (0, 0)
        if letter in b"cb":
            device = os.major(found.st_rdev), os.minor(found.st_rdev)
        mark = mark or self.is_recent(found)
        head = tarhead.member(
            name,
            _TYPES[letter],
            found.st_mode & 0o7777,
            content.owner(found.st_uid, found.st_gid),
            0,
            found.st_mtime_ns,
            target,
            device,
            self.attributes(path, xattrs_of),
        )
        place = self.tar.member(head)
        if found.st_nlink > 1 and letter != b"d":
            self.links.remember(found, path[1:], place, NO_DIGEST)
        self.line(path, letter, found, NO_DIGEST, place, mark=mark, target=target)

    def known_link(
        self, path: bytes, found: os.stat_result, target: bytes = b""
    ) -> bool:
        """Save a further name of an object that is in the tar already.

        target -- of a symbolic link: its line is to be like that of the first name
        Its inode may have been changed since, or belong to another object by now: such
        a one has strayed from its first name and is saved anew, as one of its own.
        """
        known = self.links.meet(found)
        if known is None:
            return False
        if (known.ctime, known.size) != (found.st_ctime_ns, found.st_size):
            self.links.forget(found)
            self._strayed.add((found.st_dev, found.st_ino))
            if (known.mtime, known.size) != (found.st_mtime_ns, found.st_size):
                self.report(path, "changed while it was read under another name")
            return False
        owner = content.owner(found.st_uid, found.st_gid)
        head = tarhead.member(
            path[1:],
            tarhead.LINK,
            found.st_mode & 0o7777,
            owner,
            0,
            found.st_mtime_ns,
            known.name,
        )
        self.tar.member(head)
        letter = _LETTERS[stat.S_IFMT(found.st_mode)]
        self.line(
            path, letter, found, known.digest, known.place, mark=False, target=target
        )
        return True
