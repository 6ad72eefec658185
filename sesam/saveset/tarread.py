"""Members of a tar, read back: headers, extended headers, sparse maps.

Reads what this program writes and what GNU tar and POSIX pax archives hold besides; a
header that breaks the rules is Damaged, whatever its bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import adler32

from sesam.errors import Damaged
from sesam.saveset.extents import Extents
from sesam.saveset.tarhead import BLOCK, EXTENDED

_GLOBAL = ord("g")
_LONGNAME, _LONGLINK = ord("L"), ord("K")
_ZEROS = bytes(BLOCK)
_RECORDS_LIMIT = 64 << 20
_MAP_LIMIT = 512 << 20
_MAP_PIECE = 8 * BLOCK
_NUMBER_LIMIT = 64
_GIGA = 10**9

Read = Callable[[int, int], bytes]


@dataclass(slots=True)
class Member:
    """One member: its header's values after extended headers have had their say.

    begin -- offset of its first header; content -- of its content; size -- of it
    end   -- offset of the next member
    more  -- extended records by keyword, raw
    extents, real_size -- of a sparse file (GNU.sparse 1.0): data as (offset, length),
                          and the size of the file; None and `size` else
    """

    begin: int
    content: int
    size: int
    name: bytes
    typeflag: int
    mode: int
    uid: int
    gid: int
    user: bytes
    group: bytes
    mtime_ns: int
    link: bytes
    device: tuple[int, int]
    more: dict[bytes, bytes] = field(default_factory=dict)
    extents: Extents | None = None
    real_size: int = 0
    map_size: int = 0

    @property
    def end(self) -> int:
        return self.content + self.size + -self.size % BLOCK


def read_member(read: Read, begin: int) -> Member | None:
    """Return the member whose headers begin at `begin`, None at the end of the tar.

    read -- returns the bytes at (offset, length), fewer at the end of what there is
    Raises Damaged.
    """
    more: dict[bytes, bytes] = {}
    at = begin
    while True:
        block = read(at, BLOCK)
        if block == _ZEROS:
            return None
        member = _plain(block, begin, at + BLOCK)
        if member.typeflag in (EXTENDED, _GLOBAL, _LONGNAME, _LONGLINK):
            content = _small(read, member)
            if member.typeflag == EXTENDED:
                more.update(_records(content))
            elif member.typeflag == _LONGNAME:
                more[b"path"] = content.rstrip(b"\0")
            elif member.typeflag == _LONGLINK:
                more[b"linkpath"] = content.rstrip(b"\0")
            at = member.end
            continue
        _apply(member, more)
        if more.get(b"GNU.sparse.major") == b"1":
            _sparse(read, member)
        return member


def _plain(block: bytes, begin: int, content: int) -> Member:
    if len(block) < BLOCK:
        raise Damaged("the tar ends within a header")
    try:
        expected = int(block[148:156].rstrip(b"\0 ").lstrip() or b"0", 8)
        # The sum of the block as adler32 has it, modulo 65521: see tarhead.ustar.
        found = (adler32(block) & 0xFFFF) - 1 - sum(block[148:156]) + 8 * 32
        if (expected - found) % 65521:
            raise Damaged("the checksum of a tar header is wrong")
        name, prefix = _text(block[:100]), _text(block[345:500])
        size = _number(block[124:136])
        return Member(
            begin=begin,
            content=content,
            # A hard link's size says how large the file is; no content follows it.
            size=0 if block[156] == 0x31 else size,
            name=prefix + b"/" + name
            if prefix and block[257:262] == b"ustar"
            else name,
            typeflag=block[156] or 0x30,
            mode=_number(block[100:108]) & 0o7777,
            uid=_number(block[108:116]),
            gid=_number(block[116:124]),
            user=_text(block[265:297]),
            group=_text(block[297:329]),
            mtime_ns=_number(block[136:148]) * _GIGA,
            link=_text(block[157:257]),
            device=(_number(block[329:337]), _number(block[337:345])),
        )
    except ValueError as error:
        raise Damaged("a tar header holds no numbers where they should be") from error


def _text(value: bytes) -> bytes:
    return value.split(b"\0", 1)[0]


def _number(value: bytes) -> int:
    if value[0] & 0x80:  # GNU base-256
        number = int.from_bytes(value, "big", signed=False)
        number &= (1 << (8 * len(value) - 1)) - 1
        return number
    return int(value.strip(b"\0 ") or b"0", 8)


def _small(read: Read, member: Member) -> bytes:
    if member.size > _RECORDS_LIMIT:
        raise Damaged("an extended tar header is larger than any can be")
    content = read(member.content, member.size)
    if len(content) < member.size:
        raise Damaged("the tar ends within an extended header")
    return content


def _records(content: bytes) -> dict[bytes, bytes]:
    found, at = {}, 0
    while at < len(content):
        blank = content.find(b" ", at, at + 20)
        digits = content[at:blank]
        if blank < 0 or not digits.isdigit():
            raise Damaged("an extended tar header holds no records")
        end = at + int(digits)
        key, equals, value = content[blank + 1 : end - 1].partition(b"=")
        if not equals or end > len(content) or content[end - 1] != 0x0A:
            raise Damaged("a record of an extended tar header is torn")
        found[key] = value
        at = end
    return found


def _apply(member: Member, more: dict[bytes, bytes]) -> None:
    try:
        member.more = more
        member.name = more.get(b"GNU.sparse.name", more.get(b"path", member.name))
        member.link = more.get(b"linkpath", member.link)
        member.user = more.get(b"uname", member.user)
        member.group = more.get(b"gname", member.group)
        if b"mtime" in more:
            member.mtime_ns = nanoseconds(more[b"mtime"])
        if b"uid" in more:
            member.uid = int(more[b"uid"])
        if b"gid" in more:
            member.gid = int(more[b"gid"])
        if b"size" in more:
            member.size = int(more[b"size"])
        if b"SCHILY.devmajor" in more:
            member.device = (
                int(more[b"SCHILY.devmajor"]),
                int(more[b"SCHILY.devminor"]),
            )
    except (ValueError, KeyError) as error:
        raise Damaged("a record of an extended tar header holds no number") from error
    if member.size < 0:
        raise Damaged("a member of the tar has a negative size")
    member.real_size = member.size


def nanoseconds(text: bytes) -> int:
    """Return decimal seconds as nanoseconds. Raises ValueError.

    >>> nanoseconds(b"-1.5"), nanoseconds(b"3")
    (-1500000000, 3000000000)
    """
    whole, _, fraction = text.partition(b".")
    if fraction and not fraction.isdigit():
        raise ValueError("no decimal number")
    sign = -1 if whole.startswith(b"-") else 1
    return sign * (abs(int(whole)) * _GIGA + int(fraction[:9].ljust(9, b"0") or b"0"))


def _sparse(read: Read, member: Member) -> None:
    """Read the map in front of a sparse file's data (GNU.sparse 1.0)."""
    extents, behind, held = Extents(), 0, 0
    try:
        member.real_size = size = int(member.more[b"GNU.sparse.realsize"])
        numbers = _Numbers(read, member)
        for _ in range(numbers.next()):
            offset, length = numbers.next(), numbers.next()
            if offset < behind or length < 0 or offset + length > size:
                raise Damaged("the map of a sparse file in the tar contradicts itself")
            behind = offset + length
            held += length
            if length:
                extents.append(offset, length)
    except (ValueError, KeyError, OverflowError) as error:
        raise Damaged("a sparse file in the tar has no readable map") from error
    member.map_size = numbers.taken + -numbers.taken % BLOCK
    if held != member.size - member.map_size:
        raise Damaged("the map of a sparse file does not fit its data")
    member.extents = extents


class _Numbers:
    """The numbers at the beginning of a content, one a line; taken -- bytes of them."""

    def __init__(self, read: Read, member: Member) -> None:
        self._read, self._at = read, member.content
        self._end = member.content + min(member.size, _MAP_LIMIT)
        self._lines: list[bytes] = []
        self._rest = b""
        self.taken = 0

    def next(self) -> int:
        """Return the next number. Raises ValueError where there is none."""
        while not self._lines:
            piece = self._read(self._at, min(_MAP_PIECE, self._end - self._at))
            if not piece or len(self._rest) > _NUMBER_LIMIT:
                raise ValueError("the map has no end")
            self._at += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            self._lines = lines[::-1]
        line = self._lines.pop()
        self.taken += len(line) + 1
        return int(line)
