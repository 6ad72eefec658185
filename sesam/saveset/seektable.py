"""The seek table at the end of each stream of frames (zstd seekable format 0.1.0).

A skippable frame: magic 0x184D2A5E, its length, one entry of two little-endian 32-bit
numbers (compressed, decompressed size) for each frame, then a footer of 9 bytes: number
of frames, descriptor (0: entries without checksum, for each frame carries its own),
magic 0x8F92EAB1. zstd passes over it.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from sesam.errors import UnknownFormat
from sesam.ports import Blob

SKIPPABLE_MAGIC = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1
_HEAD = struct.Struct("<II")
_FOOT = struct.Struct("<IBI")
_CHECKSUMS = 0x80
_RESERVED = 0x7C
FOOT_BYTES = _FOOT.size


@dataclass(frozen=True, slots=True)
class SeekTable:
    """Where each frame begins, in the stored and in the plain bytes.

    stored, plain -- offsets of every frame, and of the end: one more than frames
    """

    stored: Sequence[int]
    plain: Sequence[int]

    @property
    def frames(self) -> int:
        return len(self.stored) - 1

    @property
    def size(self) -> int:
        """Plain bytes in all."""
        return self.plain[-1]

    def frame_at(self, offset: int) -> int:
        """Return the number of the frame that holds plain byte `offset`."""
        return bisect_right(self.plain, offset, 0, self.frames) - 1


def from_sizes(sizes: Sequence[tuple[int, int]]) -> SeekTable:
    """Return the table of frames with these (stored, plain) sizes."""
    return SeekTable(
        [0, *accumulate(stored for stored, _ in sizes)],
        [0, *accumulate(plain for _, plain in sizes)],
    )


def encode(sizes: Sequence[tuple[int, int]]) -> bytes:
    """Return the skippable frame for frames of these (stored, plain) sizes."""
    entries = b"".join([_HEAD.pack(stored, plain) for stored, plain in sizes])
    foot = _FOOT.pack(len(sizes), 0, SEEKABLE_MAGIC)
    return _HEAD.pack(SKIPPABLE_MAGIC, len(entries) + len(foot)) + entries + foot


def read(blob: Blob, name: str) -> SeekTable:
    """Return the seek table of a stream of frames.

    Raises UnknownFormat where the end of `blob` is no seek table, or one that does not
    fit what lies before it.
    """
    size = blob.size
    if size < _HEAD.size + FOOT_BYTES:
        raise UnknownFormat(f'"{name}" is too short to end with a seek table')
    count, descriptor, magic = _FOOT.unpack(blob.read_at(size - FOOT_BYTES, FOOT_BYTES))
    if magic != SEEKABLE_MAGIC or descriptor & _RESERVED:
        raise UnknownFormat(f'"{name}" does not end with a seek table')
    entry = 12 if descriptor & _CHECKSUMS else 8
    length = count * entry + FOOT_BYTES
    begin = size - length - _HEAD.size
    if begin < 0:
        raise UnknownFormat(f'the seek table of "{name}" is longer than the part')
    table = blob.read_at(begin, _HEAD.size + count * entry)
    if table[: _HEAD.size] != _HEAD.pack(SKIPPABLE_MAGIC, length):
        raise UnknownFormat(f'the seek table of "{name}" has no skippable frame')
    found = _entries(table[_HEAD.size :], entry)
    if found.stored[-1] != begin:
        raise UnknownFormat(f'the seek table of "{name}" does not fit its frames')
    return found


def _entries(table: bytes, entry: int) -> SeekTable:
    form = "<II4x" if entry == 12 else "<II"
    return from_sizes(list(struct.iter_unpack(form, table)))
