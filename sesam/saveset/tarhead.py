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

# The first 148 bytes, up to the checksum: name; mode, uid, gid; size, mtime.
_FIRST = b"%b%b%011o\0%011o\0"
_NUMBERS = b"%07o\0%07o\0%07o\0"
# From behind the checksum: type, link, magic, user, group, device, prefix.
_LAST = b"%c%bustar\00000%b%b%07o\0%07o\0%b"
_LAST_LENGTH = BLOCK - 148 - 8
_BLANK_CHECKSUM = 8 * 32

Owner = tuple[int, int, bytes, bytes]
Records = list[tuple[bytes, bytes]]


def padding(size: int) -> bytes:
    """Return the zeros that fill a content of `size` bytes up to a whole block."""
    return bytes(-size % BLOCK)


@lru_cache(4096)
def _frame(
    typeflag: int,
    mode: int,
    owner: Owner,
    link: bytes,
    device: tuple[int, int],
    prefix: bytes,
) -> tuple[bytes, bytes, int]:
    """Return what stands before and behind size, mtime and checksum, and its sum.

    A tree has few of them: all files of a directory share theirs.
    """
    uid, gid, user, group = owner
    block = _LAST % (
        typeflag,
        link.ljust(_LINK, b"\0"),
        user.ljust(32, b"\0"),
        group.ljust(32, b"\0"),
        *device,
        prefix,
    )
    block = block.ljust(_LAST_LENGTH, b"\0")
    # adler32 counts from 1.
    return _NUMBERS % (mode, uid, gid), block, sum(block) + _BLANK_CHECKSUM - 1


def _ustar(
    name: bytes, frame: tuple[bytes, bytes, int], size: int, seconds: int
) -> bytes:
    """Return one ustar header block. Every value must fit its field.

    name -- up to 100 bytes; size below 8 GiB; seconds -- mtime, 0 to 2^33-1
    """
    numbers, last, total = frame
    first = _FIRST % (name.ljust(_NAME, b"\0"), numbers, size, seconds)
    # adler32 is 1 + the sum of the bytes in its low half, modulo 65521, at the speed of
    # C; 148 bytes never reach the modulus.
    return b"%b%06o\0 %b" % (first, (adler32(first) & 0xFFFF) + total, last)


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
    frame = _frame(EXTENDED, 0o644, (0, 0, b"", b""), b"", (0, 0), b"")
    return _ustar(b"PaxHeaders/sesam", frame, size, 0)


# The record of nearly every file: its header, itself, zeros up to the whole block.
_MTIME = b"%b30 mtime=%d.%09d\n%b%b"
MTIME_HEADER = _extended_header(30)
_MTIME_PADDING = bytes(BLOCK - 30)
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
    owner: Owner,
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
    prefix, short = b"", name
    if len(name) > _NAME:
        prefix, short = split_name(name) or (b"", name)
    if (
        more
        or len(short) > _NAME
        or len(link) > _LINK
        or size >= _SIZE_LIMIT
        or uid >= _ID_LIMIT
        or gid >= _ID_LIMIT
        or len(user) > _USER
        or len(group) > _USER
        or seconds not in _MTIME_SECONDS
        or device[0] >= _ID_LIMIT
        or device[1] >= _ID_LIMIT
    ):
        return _odd_member(
            name, typeflag, mode, owner, size, mtime_ns, link, device, more
        )
    frame = _frame(typeflag, mode, owner, link, device, prefix)
    head = _ustar(short, frame, size, seconds)
    if not fraction:
        return head
    return _MTIME % (MTIME_HEADER, seconds, fraction, _MTIME_PADDING, head)


def _odd_member(  # noqa: PLR0913 - as member
    name: bytes,
    typeflag: int,
    mode: int,
    owner: Owner,
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
    uid = fit(b"uid", owner[0], _ID_LIMIT)
    gid = fit(b"gid", owner[1], _ID_LIMIT)
    size = fit(b"size", size, _SIZE_LIMIT)
    frame = _frame.__wrapped__(
        typeflag,
        mode,
        (
            uid,
            gid,
            fit_text(b"uname", owner[2], _USER),
            fit_text(b"gname", owner[3], _USER),
        ),
        fit_text(b"linkpath", link, _LINK),
        (
            fit(b"SCHILY.devmajor", device[0], _ID_LIMIT),
            fit(b"SCHILY.devminor", device[1], _ID_LIMIT),
        ),
        prefix,
    )
    records += more or []
    head = _ustar(short, frame, size, max(0, min(seconds, _SIZE_LIMIT - 1)))
    return extended(records) + head if records else head
