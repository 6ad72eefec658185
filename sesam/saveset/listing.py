r"""The listing: one line of text for each object of the tree, in walk order.

First line: `#sesam-listing 1`, a tab and the source definition as JSON. Then a line for
each object, then one for each path deleted since the base (type `x`), last `#end`, tab,
number of objects, tab, number of deleted paths. Fields are parted by tabs; in names
a backslash is `\\` and bytes below 0x20 and 0x7f are `\x` with two hex digits, every
other byte stands for itself, so that `zstd -dc listing.zst | awk -F'\t'` reads it.
man 5 sesam-saveset, LISTING, has the table of fields.
"""

import json
import re
from functools import lru_cache
from typing import NamedTuple

from sesam.errors import Damaged

NAME = "listing.zst"
VERSION = 1
HEAD = b"#sesam-listing %d\t" % VERSION
_END = b"#end\t"
DELETED = b"\tx"
_GIGA = 10**9

MARKED = "m"
LINKED = "h"
HOLDS = b"."
NOWHERE = b"-"

_ODD = bytes([*range(0x20), 0x7F, ord("\\")])
_must_escape = re.compile(b"[%b]" % re.escape(_ODD))
_escaped = re.compile(rb"\\(?:x([0-9a-f]{2})|(\\))")


class Line(NamedTuple):
    """One object of the tree as the listing has it.

    path     -- absolute, raw bytes
    kind     -- letter of terms.Kind
    mtime, ctime -- nanoseconds since the epoch
    device, inode -- as stat gave them: equal pairs are one hard-linked file
    digest   -- xxh3-128 of the member's content in the tar; "" where there is none
    flags    -- "m": marked, the next INCR takes it again; "h": has several names
    saveset  -- that holds content and header; "" = this one; "-" = none could be saved
    segment, offset -- number of the segment, and of the first byte of the member's
                       headers in the segment's plain bytes; 0, 0 where saveset is "-"
    target   -- of a symbolic link
    """

    path: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    user: str
    group: str
    size: int
    mtime: int
    ctime: int
    device: int
    inode: int
    digest: str
    flags: str
    saveset: str
    segment: int
    offset: int
    target: bytes = b""

    @property
    def is_lost(self) -> bool:
        """Nothing of the object could be saved."""
        return self.saveset == "-"


def escape(name: bytes) -> bytes:
    r"""Return the name as it stands in a line.

    >>> escape(b"a\tb\\c d")
    b'a\\x09b\\\\c d'
    """
    # Three times as fast as a search where there is nothing to escape.
    if len(name.translate(None, _ODD)) == len(name):
        return name
    return _must_escape.sub(
        lambda hit: b"\\\\" if hit[0] == b"\\" else b"\\x%02x" % hit[0][0], name
    )


def unescape(name: bytes) -> bytes:
    """Return the raw bytes of a name in a line."""
    if b"\\" not in name:
        return name
    return _escaped.sub(
        lambda hit: b"\\" if hit[2] else bytes((int(hit[1], 16),)), name
    )


def head(source: dict[str, object]) -> bytes:
    """Return the first line, for this source definition."""
    return HEAD + json.dumps(source, sort_keys=True).encode() + b"\n"


def gone(path: bytes) -> bytes:
    """Return the line of a path that has been deleted since the base."""
    return escape(path) + DELETED + b"\n"


def is_gone(line: bytes) -> bool:
    """Tell whether a line, without its end, is that of a deleted path.

    It has two fields: a link to `x` ends in the same way, and has more.
    """
    return line.endswith(DELETED) and line.count(b"\t") == 1


def end(objects: int, deleted: int) -> bytes:
    """Return the last line."""
    return _END + b"%d\t%d\n" % (objects, deleted)


def stamp(ns: int) -> bytes:
    """Return nanoseconds as decimal seconds with nine digits behind the point."""
    if ns < 0:
        return b"-%d.%09d" % divmod(-ns, _GIGA)
    return b"%d.%09d" % divmod(ns, _GIGA)


# Saveset, segment and offset as they stand in a line.
Place = tuple[bytes, int, int]

# path kind owner size mtime ctime device inode digest flags saveset segment offset
_PLAIN = b"%b\t%b\t%b\t%d\t%b\t%b\t%d\t%d\t%b\t%b\t%b\t%d\t%d\n"
_MODERN = b"%b\t%b\t%b\t%d\t%d.%09d\t%d.%09d\t%d\t%d\t%b\t%b\t%b\t%d\t%d\n"
_FIELDS = 17


@lru_cache(65536)
def owner_fields(mode: int, uid: int, gid: int, user: bytes, group: bytes) -> bytes:
    """Return the fields from mode to group: a tree has few of them."""
    return b"%04o\t%d\t%d\t%b\t%b" % (mode, uid, gid, escape(user), escape(group))


def plain(
    path: bytes,
    kind: bytes,
    owner: bytes,
    size: int,
    mtime: int,
    ctime: int,
    *rest: int | bytes,
) -> bytes:
    """Return the line of an object that is no symbolic link.

    owner -- as `owner_fields`; rest -- device, inode, digest, flags, saveset, segment
    and offset, bytes as they stand in the line
    """
    if mtime >= 0 and ctime >= 0:
        times = *divmod(mtime, _GIGA), *divmod(ctime, _GIGA)
        return _MODERN % (escape(path), kind, owner, size, *times, *rest)
    stamps = stamp(mtime), stamp(ctime)
    return _PLAIN % (escape(path), kind, owner, size, *stamps, *rest)


def with_target(line: bytes, target: bytes) -> bytes:
    """Return the line of a symbolic link from the plain one."""
    return line[:-1] + b"\t" + escape(target) + b"\n"


def encode(line: Line) -> bytes:
    """Return the line as bytes; `decode` is its inverse."""
    owner = owner_fields(
        line.mode,
        line.uid,
        line.gid,
        line.user.encode("utf-8", "surrogateescape"),
        line.group.encode("utf-8", "surrogateescape"),
    )
    text = plain(
        line.path,
        line.kind.encode(),
        owner,
        line.size,
        line.mtime,
        line.ctime,
        line.device,
        line.inode,
        line.digest.encode() or b"-",
        line.flags.encode() or b"-",
        line.saveset.encode() or HOLDS,
        line.segment,
        line.offset,
    )
    return with_target(text, line.target) if line.target else text


def decode(line: bytes) -> Line:
    """Return the object of one line, without its line end. Raises Damaged."""
    fields = line.split(b"\t")
    if len(fields) not in (_FIELDS, _FIELDS + 1):
        raise Damaged(f"a line of the listing has {len(fields)} fields, not {_FIELDS}")
    try:
        return Line(
            unescape(fields[0]),
            fields[1].decode("ascii"),
            int(fields[2], 8),
            int(fields[3]),
            int(fields[4]),
            unescape(fields[5]).decode("utf-8", "surrogateescape"),
            unescape(fields[6]).decode("utf-8", "surrogateescape"),
            int(fields[7]),
            instant(fields[8]),
            instant(fields[9]),
            int(fields[10]),
            int(fields[11]),
            _or_none(fields[12]),
            _or_none(fields[13]),
            "" if fields[14] == HOLDS else fields[14].decode("ascii"),
            int(fields[15]),
            int(fields[16]),
            unescape(fields[17]) if len(fields) > _FIELDS else b"",
        )
    except ValueError as error:
        raise Damaged(f"a line of the listing cannot be read: {error}") from error


def instant(text: bytes) -> int:
    """Return the nanoseconds of decimal seconds with nine digits. Raises ValueError."""
    seconds, _, fraction = text.partition(b".")
    if len(fraction) != 9:
        raise ValueError("a time without nanoseconds")
    return int(seconds + fraction)


def _or_none(field: bytes) -> str:
    return "" if field == b"-" else field.decode("ascii")
