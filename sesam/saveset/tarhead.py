"""POSIX pax tar headers, as bytes (POSIX.1-2001 pax, ustar interchange format).

A member is: an extended header where ustar cannot say it all, the ustar header, the
content, zeros to the next 512. Names are written as they are, whatever their bytes;
ustar holds up to 255 of them (name and prefix), longer ones go into a `path` record.
"""

from functools import lru_cache
from zlib import adler32

BLOCK = 512
END = bytes(2 * BLOCK)

FILE, LINK, SYMLINK, CHARACTER, BLOCKDEV, DIRECTORY, FIFO = b"0123456"
EXTENDED = ord("x")

_NAME, _PREFIX, _LINK, _USER = 100, 155, 100, 31
_ID_LIMIT = 0o7777777 + 1
_SIZE_LIMIT = 0o77777777777 + 1
_GIGA = 10**9

# The first 148 bytes, up to the checksum: name, mode, uid, gid, size, mtime.
_FIRST = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0"
# From behind the checksum: type, link, magic, user, group, device, prefix.
_LAST = b"%c%bustar\00000%b%b%07o\0%07o\0%b"
_LAST_LENGTH = BLOCK - 148 - 8
_BLANK_CHECKSUM = 8 * 32

Records = list[tuple[bytes, bytes]]


def padding(size: int) -> bytes:
    """Return the zeros that fill a content of `size` bytes up to a whole block."""
    return bytes(-size % BLOCK)


@lru_cache(4096)
def _last(
    typeflag: int,
    link: bytes,
    user: bytes,
    group: bytes,
    device: tuple[int, int],
    prefix: bytes,
) -> tuple[bytes, int]:
    """Return what follows the checksum, and what it adds to it: few values recur."""
    block = _LAST % (
        typeflag,
        link.ljust(_LINK, b"\0"),
        user.ljust(32, b"\0"),
        group.ljust(32, b"\0"),
        *device,
        prefix,
    )
    block = block.ljust(_LAST_LENGTH, b"\0")
    return block, sum(block) + _BLANK_CHECKSUM


def ustar(
    name: bytes,
    numbers: tuple[int, int, int, int, int],
    last: tuple[bytes, int],
) -> bytes:
    """Return one ustar header block. Every value must fit its field.

    name -- up to 100 bytes; numbers -- mode, uid, gid (below 2^21), size (below 8 GiB),
    mtime (0 to 2^33-1); last -- from `_last`
    """
    first = _FIRST % (name.ljust(_NAME, b"\0"), *numbers)
    # adler32 is 1 + the sum of the bytes in its low half, modulo 65521, at the speed of
    # C; 148 bytes never reach the modulus.
    total = (adler32(first) & 0xFFFF) - 1 + last[1]
    return b"%b%06o\0 %b" % (first, total, last[0])


def split_name(name: bytes) -> tuple[bytes, bytes] | None:
    """Return (prefix, name) for ustar, or None when the name needs a `path` record."""
    if len(name) <= _NAME:
        return b"", name
    at = name.find(b"/", max(0, len(name) - _NAME - 1), _PREFIX + 1)
    if at < 1 or at + 1 == len(name):
        return None
    return name[:at], name[at + 1 :]


def record(key: bytes, value: bytes) -> bytes:
    r"""Return one pax record, whose leading number counts its own digits as well.

    >>> record(b"mtime", b"1.5")
    b'13 mtime=1.5\n'
    """
    bare = len(key) + len(value) + 3
    length = bare + len(str(bare))
    length = bare + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


def extended(records: Records) -> bytes:
    """Return an extended header (type x) with its content for the member behind it."""
    content = b"".join([record(key, value) for key, value in records])
    return _extended_header(len(content)) + content + padding(len(content))


@lru_cache(4096)
def _extended_header(size: int) -> bytes:
    last = _last(EXTENDED, b"", b"", b"", (0, 0), b"")
    return ustar(b"PaxHeaders/sesam", (0o644, 0, 0, size, 0), last)


_MTIME = b"30 mtime=%d.%09d\n"
_MTIME_SECONDS = range(10**9, 10**10)


def decimal(ns: int) -> bytes:
    """Return nanoseconds as decimal seconds, as short as pax wants them.

    >>> decimal(1_500_000_000), decimal(-1), decimal(3_000_000_000)
    (b'1.5', b'-0.000000001', b'3')
    """
    sign, (seconds, rest) = b"-" if ns < 0 else b"", divmod(abs(ns), _GIGA)
    if not rest:
        return b"%b%d" % (sign, seconds)
    return (
        b"%b%d.%09d" % (sign, seconds, rest)
        if rest % 10
        else (b"%b%d.%b" % (sign, seconds, (b"%09d" % rest).rstrip(b"0")))
    )


def member(  # noqa: PLR0913 - a member has that many fields
    name: bytes,
    typeflag: int,
    mode: int,
    owner: tuple[int, int, bytes, bytes],
    size: int,
    mtime_ns: int,
    link: bytes = b"",
    device: tuple[int, int] = (0, 0),
    more: Records | None = None,
) -> bytes:
    """Return the headers of one member, extended header included where it is needed.

    name, link -- raw bytes without leading slash, any length
    mode       -- permission bits, 0 to 07777
    owner      -- uid, gid, user name, group name
    size       -- of the content that follows, in bytes
    more       -- further pax records: xattrs, ACLs, the sparse keywords
    """
    uid, gid, user, group = owner
    seconds, fraction = divmod(mtime_ns, _GIGA)
    if (
        more
        or len(name) > _NAME
        or len(link) > _LINK
        or size >= _SIZE_LIMIT
        or uid >= _ID_LIMIT
        or gid >= _ID_LIMIT
        or len(user) > _USER
        or len(group) > _USER
        or seconds not in _MTIME_SECONDS
        or max(device) >= _ID_LIMIT
    ):
        return _odd_member(
            name, typeflag, mode, owner, size, mtime_ns, link, device, more
        )
    last = _last(typeflag, link, user, group, device, b"")
    head = ustar(name, (mode, uid, gid, size, seconds), last)
    if not fraction:
        return head
    content = (_MTIME % (seconds, fraction)).ljust(BLOCK, b"\0")
    return _extended_header(30) + content + head


def _odd_member(  # noqa: PLR0913 - as member
    name: bytes,
    typeflag: int,
    mode: int,
    owner: tuple[int, int, bytes, bytes],
    size: int,
    mtime_ns: int,
    link: bytes,
    device: tuple[int, int],
    more: Records | None,
) -> bytes:
    """Return headers of which some value needs a record of its own."""
    records: Records = []

    def fit(key: bytes, value: int, limit: int) -> int:
        if value < limit:
            return value
        records.append((key, b"%d" % value))
        return 0

    def fit_text(key: bytes, value: bytes, limit: int) -> bytes:
        if len(value) > limit:
            records.append((key, value))
        return value[:limit]

    seconds, fraction = divmod(mtime_ns, _GIGA)
    if fraction or not 0 <= seconds < _SIZE_LIMIT:
        records.append((b"mtime", decimal(mtime_ns)))
    prefix, short = split_name(name) or (b"", fit_text(b"path", name, _NAME))
    numbers = (
        mode,
        fit(b"uid", owner[0], _ID_LIMIT),
        fit(b"gid", owner[1], _ID_LIMIT),
        fit(b"size", size, _SIZE_LIMIT),
        max(0, min(seconds, _SIZE_LIMIT - 1)),
    )
    last = _last.__wrapped__(
        typeflag,
        fit_text(b"linkpath", link, _LINK),
        fit_text(b"uname", owner[2], _USER),
        fit_text(b"gname", owner[3], _USER),
        (
            fit(b"SCHILY.devmajor", device[0], _ID_LIMIT),
            fit(b"SCHILY.devminor", device[1], _ID_LIMIT),
        ),
        prefix,
    )
    records += more or []
    head = ustar(short, numbers, last)
    return extended(records) + head if records else head
