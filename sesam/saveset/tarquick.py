"""Headers of the form that nearly all members have, read at once.

One ustar block, or the extended header that holds nothing but the time and then one:
as this program writes them. All others are left to `tarread`.
"""

from functools import lru_cache
from typing import NamedTuple
from zlib import adler32

from sesam.saveset.tarhead import BLOCK, MTIME_HEADER

HEAD_BYTES = 3 * BLOCK
_MTIME = b"30 mtime="
_GIGA = 10**9


class Common(NamedTuple):
    """What such headers say; length -- their own, size -- of the content behind.

    name -- the end of the path, 100 bytes of it at most
    """

    length: int
    typeflag: int
    size: int
    mtime_ns: int
    mode: int
    uid: int
    gid: int
    user: str
    group: str
    device: tuple[int, int]
    link: bytes
    name: bytes


def common(head: bytes) -> Common | None:
    """Return what the headers at the beginning of `head` say.

    None where they are others, or are damaged: `read_member` says which.
    """
    if head.startswith(MTIME_HEADER):
        if len(head) < HEAD_BYTES or not _is_mtime(head):
            return None
        stamp = head[BLOCK + 9 : BLOCK + 19] + head[BLOCK + 20 : BLOCK + 29]
        block, length = head[2 * BLOCK : 3 * BLOCK], 3 * BLOCK
    else:
        stamp, block, length = b"", head[:BLOCK], BLOCK
    if len(block) < BLOCK or block[154:156] != b"\0 ":
        return None
    typeflag, stored = block[156], block[148:154]
    # See tarread for the sum; the last two bytes of its field are a NUL and a blank.
    total = (adler32(block) & 0xFFFF) - 1 - sum(stored) - 32 + 256
    try:
        size = int(block[124:135], 8)
        seconds = int(block[136:147], 8)
        if (
            (int(stored, 8) - total) % 65521
            or not 0x30 <= typeflag < 0x37
            or size < 0
            or block[135]
            or block[147]
        ):
            return None
        same = _same(block[100:124], block[265:345])
        mtime = int(stamp) if stamp else seconds * _GIGA
    except ValueError:
        return None
    link = block[157:257].split(b"\0", 1)[0] if typeflag == 0x32 else b""
    name = block[:100].split(b"\0", 1)[0]
    return Common(length, typeflag, size, mtime, *same, link, name)


def _is_mtime(head: bytes) -> bool:
    """Tell whether the extended header holds ten digits, a point, nine digits."""
    return (
        head[BLOCK : BLOCK + 9] == _MTIME
        and head[BLOCK + 19] == 0x2E
        and head[BLOCK + 29] == 0x0A
        and head[BLOCK + 9 : BLOCK + 19].isdigit()
        and head[BLOCK + 20 : BLOCK + 29].isdigit()
    )


@lru_cache(4096)
def _same(
    numbers: bytes, names: bytes
) -> tuple[int, int, int, str, str, tuple[int, int]]:
    """Return mode, uid, gid, user, group, device: a tree has few of them.

    Raises ValueError where they do not stand there as ustar has them.
    """
    fields = (numbers[:8], numbers[8:16], numbers[16:], names[64:72], names[72:])
    if any(one[7] or not one[:7].isdigit() for one in fields):
        raise ValueError("numbers of another form")
    mode, uid, gid, major, minor = (int(one[:7], 8) for one in fields)
    return (
        mode & 0o7777,
        uid,
        gid,
        _text(names[:32]),
        _text(names[32:64]),
        (major, minor),
    )


def _text(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
