"""The base of a DIFF or INCR: its listing, read beside the walk, one line at a time.

Both are in walk order, so that one pass tells what is new, what is changed and what is
gone, and memory does not grow with the number of files. The line of an unchanged object
goes into the new listing as it is, but for the name of the saveset that holds it.
"""

import os
import stat
from collections.abc import Callable, Iterator

from sesam.errors import UnknownFormat
from sesam.rules.paths import is_below, walk_key
from sesam.saveset import listing
from sesam.saveset.listing import HOLDS, MARKED, escape, stamp, unescape
from sesam.saveset.listread import Reading

_GIGA = 10**9
_LETTERS = {
    stat.S_IFREG: b"f",
    stat.S_IFDIR: b"d",
    stat.S_IFLNK: b"l",
    stat.S_IFIFO: b"p",
    stat.S_IFCHR: b"c",
    stat.S_IFBLK: b"b",
}
_HELD = b"\t" + HOLDS + b"\t"
# size mtime ctime device inode, as they stand side by side in a line
_STAT = b"\t%d\t%d.%09d\t%d.%09d\t%d\t%d\t"
_OLD_STAT = b"\t%d\t%b\t%b\t%d\t%d\t"


class Base:
    """The lines of a base, taken in step with the walk.

    name -- of the base's saveset; reading -- its listing, in clear
    keep -- takes the line of an object that stays though it could not be looked at
    gone -- takes the path of an object that is no longer there
    Raises UnknownFormat where the listing is of another source definition.
    """

    def __init__(
        self,
        name: str,
        reading: Reading,
        definition: dict[str, object],
        *,
        keep: Callable[[bytes], object],
        gone: Callable[[bytes], object],
    ) -> None:
        if reading.source != definition:
            raise UnknownFormat(
                f'the listing of the base "{name}" is that of another source'
            )
        self._held = b"\t" + name.encode() + b"\t"
        self._lines: Iterator[bytes] = reading.raw()
        self._keep = keep
        self._gone = gone
        self._unread: list[bytes] = []
        self._line = next(self._lines, None)

    def take(self, path: bytes) -> bytes | None:
        """Return the line of `path`, None where the base has none.

        path -- of the next object of the walk; lines before it are passed over
        """
        begin = escape(path) + b"\t"
        line = self._line
        if line is None or not line.startswith(begin):
            line = self._pass_to(path, begin)
        if line is not None:
            self._line = next(self._lines, None)
        return line

    def unchanged(
        self, path: bytes, line: bytes, found: os.stat_result
    ) -> bytes | None:
        """Return the line for the new listing where the object is as it was, or None.

        line -- what `take` has returned; found -- the object's stat now
        """
        mtime, ctime = found.st_mtime_ns, found.st_ctime_ns
        kind = stat.S_IFMT(found.st_mode)
        size = 0 if kind == stat.S_IFDIR else found.st_size
        if mtime >= 0 and ctime >= 0:
            times = *divmod(mtime, _GIGA), *divmod(ctime, _GIGA)
            wanted = _STAT % (size, *times, found.st_dev, found.st_ino)
        else:
            stamps = stamp(mtime), stamp(ctime)
            wanted = _OLD_STAT % (size, *stamps, found.st_dev, found.st_ino)
        head, same, rest = line.partition(wanted)
        if not same:
            return self._elsewhere(line, found, size)
        # digest, flags, saveset ...
        if rest.startswith(b"m", rest.index(b"\t") + 1):
            return None
        if not head.startswith(_LETTERS.get(kind, b"?") + b"\t", len(escape(path)) + 1):
            return None
        return head + same + rest.replace(_HELD, self._held, 1) + b"\n"

    def keep_below(self, path: bytes) -> None:
        """What lies below `path` cannot be looked at: what the base has of it stays."""
        self._unread.append(path)

    def finish(self) -> None:
        """The walk has come to its end: pass over what is left."""
        while self._line is not None:
            self._pass(unescape(self._line.partition(b"\t")[0]), self._line)
            self._line = next(self._lines, None)

    def _pass_to(self, path: bytes, begin: bytes) -> bytes | None:
        """Pass over the lines in front of `path`; return its own, if it has one."""
        here = walk_key(path)
        while (line := self._line) is not None and not line.startswith(begin):
            known = unescape(line.partition(b"\t")[0])
            if walk_key(known) > here:
                line = None
                break
            self._pass(known, line)
            self._line = next(self._lines, None)
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
        if old.kind.encode() != _LETTERS.get(stat.S_IFMT(found.st_mode)):
            return None
        return self._carried(old._replace(device=found.st_dev))

    def _carried(self, line: listing.Line) -> bytes:
        holder = line.saveset or self._held.strip(b"\t").decode()
        return listing.encode(line._replace(saveset=holder))
