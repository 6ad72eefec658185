"""The base of a DIFF or INCR: its listing, read beside the walk, one line at a time.

Both are in walk order, so that one pass tells what is new, what is changed and what is
gone, and memory does not grow with the number of files. The line of an unchanged object
goes into the new listing as it is, but for the name of the saveset that holds it.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial

from sesam.errors import UnknownFormat
from sesam.rules.paths import is_below, walk_key
from sesam.saveset import listing
from sesam.saveset.listing import HOLDS, MARKED, escape, stamp, unescape
from sesam.saveset.listread import Reading

_GIGA = 10**9
_TYPES = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFIFO: "p",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
}
# Letters by the four bits of the mode that are the type, a NUL for those without one.
_LETTERS = "".join(_TYPES.get(bits << 12, "\0") for bits in range(16)).encode()
_DIRECTORY, _DASH, _MARK = b"d-m"
_HELD = b"\t" + HOLDS + b"\t"
# size mtime ctime device inode, as they stand side by side in a line
_STAT = b"\t%d\t%d.%09d\t%d.%09d\t%d\t%d\t"
_OLD_STAT = b"\t%d\t%b\t%b\t%d\t%d\t"


class Base:
    """The lines of a base, taken in step with the walk.

    name -- of the base's saveset; reading -- its listing, in clear
    lines -- those of it that belong to the walk; None = all
    keep -- takes the line of an object that stays though it could not be looked at
    gone -- takes the path of an object that is no longer there
    line -- the next one; following() -- the one behind it, None at the end
    Raises UnknownFormat where the listing is of another source definition.
    """

    def __init__(
        self,
        name: str,
        reading: Reading,
        definition: dict[str, object],
        lines: Iterator[bytes] | None = None,
        *,
        keep: Callable[[bytes], object],
        gone: Callable[[bytes], object],
    ) -> None:
        if reading.source != definition:
            raise UnknownFormat(
                f'the listing of the base "{name}" is that of another source'
            )
        self._held = b"\t" + name.encode() + b"\t"
        self._keep = keep
        self._gone = gone
        self._unread: list[bytes] = []
        self.read_on(reading.raw() if lines is None else lines)

    def read_on(self, lines: Iterator[bytes]) -> None:
        """Take the lines that come now from here."""
        self.following: Callable[[], bytes | None] = partial(next, lines, None)
        self.line: bytes | None = self.following()

    def take(self, path: bytes) -> bytes | None:
        """Return the line of `path`, None where the base has none.

        path -- of the next object of the walk; lines before it are passed over
        """
        line = self._pass_to(path)
        if line is not None:
            self.line = self.following()
        return line

    def unchanged(self, line: bytes, begin: int, found: os.stat_result) -> bytes | None:
        """Return the line for the new listing where the object is as it was, or None.

        line -- what `take` has returned, its fields but the path from `begin` on
        found -- the object's stat now
        """
        mtime, ctime = found.st_mtime_ns, found.st_ctime_ns
        letter = _LETTERS[found.st_mode >> 12]
        size = found.st_size if letter != _DIRECTORY else 0
        if mtime >= 0 and ctime >= 0:
            wanted = _STAT % (
                size,
                mtime // _GIGA,
                mtime % _GIGA,
                ctime // _GIGA,
                ctime % _GIGA,
                found.st_dev,
                found.st_ino,
            )
        else:
            stamps = stamp(mtime), stamp(ctime)
            wanted = _OLD_STAT % (size, *stamps, found.st_dev, found.st_ino)
        at = line.find(wanted, begin)
        if at < 0:
            return self._elsewhere(line, found, size)
        if line[begin] != letter:
            return None
        # Behind it stand a digest, of 32 digits or a dash, and the flags.
        at += len(wanted)
        if line[at + (2 if line[at] == _DASH else 33)] == _MARK:
            return None
        at = line.find(_HELD, at)
        if at < 0:
            return line + b"\n"
        return b"%b%b%b\n" % (line[:at], self._held, line[at + len(_HELD) :])

    def keep_below(self, path: bytes) -> None:
        """What lies below `path` cannot be looked at: what the base has of it stays."""
        self._unread.append(path)

    def finish(self) -> None:
        """The walk has come to its end: pass over what is left."""
        while self.line is not None:
            self._pass(unescape(self.line.partition(b"\t")[0]), self.line)
            self.line = self.following()

    def _pass_to(self, path: bytes) -> bytes | None:
        """Pass over the lines in front of `path`; return its own, if it has one."""
        begin, here = escape(path) + b"\t", walk_key(path)
        while (line := self.line) is not None and not line.startswith(begin):
            known = unescape(line.partition(b"\t")[0])
            if walk_key(known) > here:
                line = None
                break
            self._pass(known, line)
            self.line = self.following()
        # The walk is beyond what it could not look at.
        self._unread.clear()
        return line

    def _pass(self, path: bytes, line: bytes) -> None:
        if any(is_below(path, one) for one in self._unread):
            self._keep(self._marked(line))
        else:
            self._gone(path)

    def _marked(self, line: bytes) -> bytes:
        """Return a line that the next INCR looks at again."""
        old = listing.decode(line)
        flags = old.flags if MARKED in old.flags else MARKED + old.flags
        return self._carried(old._replace(flags=flags))

    def _elsewhere(self, line: bytes, found: os.stat_result, size: int) -> bytes | None:
        """Look again: a file system may have come back under another device number."""
        old = listing.decode(line)
        now = size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
        if MARKED in old.flags or now != (old.size, old.mtime, old.ctime, old.inode):
            return None
        if ord(old.kind) != _LETTERS[found.st_mode >> 12]:
            return None
        return self._carried(old._replace(device=found.st_dev))

    def _carried(self, line: listing.Line) -> bytes:
        holder = line.saveset or self._held.strip(b"\t").decode()
        return listing.encode(line._replace(saveset=holder))
