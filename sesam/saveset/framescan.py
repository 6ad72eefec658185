"""Where frames lie when the seek table is damaged: the frames themselves tell.

A frame's header holds its plain size; behind it come blocks, each with its type and
size in three bytes (RFC 8878, 3.1.1), the last one marked, then the checksum.
"""

import zstandard

from sesam.ports import Blob
from sesam.saveset.frames import FRAME_LIMIT
from sesam.saveset.seektable import SeekTable, from_sizes

_MAGIC = b"\x28\xb5\x2f\xfd"
_HEADER_LIMIT = 18
_BLOCK_HEAD = 3
_BLOCK_LIMIT = 128 << 10
_RLE, _RESERVED = 1, 3
_CHECKSUM = 4


def scan(blob: Blob) -> SeekTable:
    """Return the table of the frames from the beginning to the first that is none."""
    sizes: list[tuple[int, int]] = []
    at, size = 0, blob.size
    while at < size:
        plain, end = _frame(blob, at)
        if not at < end <= size:
            break
        sizes.append((end - at, plain))
        at = end
    return from_sizes(sizes)


def _frame(blob: Blob, begin: int) -> tuple[int, int]:
    """Return the plain size of the frame at an offset, and its end; 0, 0 for none."""
    head = blob.read_at(begin, _HEADER_LIMIT)
    if head[:4] != _MAGIC:
        return 0, 0
    try:
        facts = zstandard.get_frame_parameters(head)
        at = begin + zstandard.frame_header_size(head)
    except zstandard.ZstdError:
        return 0, 0
    # Unknown sizes are the largest numbers there are.
    if facts.content_size > FRAME_LIMIT:
        return 0, 0
    last = False
    while not last:
        block = int.from_bytes(blob.read_at(at, _BLOCK_HEAD), "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        if kind == _RESERVED or size > _BLOCK_LIMIT or at >= blob.size:
            return 0, 0
        at += _BLOCK_HEAD + (1 if kind == _RLE else size)
    return facts.content_size, at + _CHECKSUM * facts.has_checksum
