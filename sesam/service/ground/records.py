"""What a walk in another process finds, as records in a file.

A letter, the length of what follows in four bytes, and that.
"""

import os
import stat
import struct
from collections.abc import Iterator
from typing import BinaryIO

# Lines of unchanged objects, with their line ends; objects that are to be saved, such
# that the base has and such that it has not: a letter for the type, and the path; the
# path of one that is gone.
LINES, KNOWN, NEW, GONE = b"=", b"*", b"+", b"-"
# A path, a NUL, and what is to be said of it: as Walk's `report`, `note`, `unread`.
REPORT, NOTE, UNREAD = b"!", b".", b"?"
_HEAD = struct.Struct("<cI")


def write(file: BinaryIO, kind: bytes, data: bytes) -> None:
    """Write one record."""
    file.write(_HEAD.pack(kind, len(data)))
    file.write(data)


def read(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the records of a whole file."""
    while head := file.read(_HEAD.size):
        kind, length = _HEAD.unpack(head)
        yield kind, file.read(length)


def letter_of(found: os.stat_result | None) -> bytes:
    """Return the letter of an object as a walk yields it: without stat it is a file."""
    if found is None or stat.S_ISREG(found.st_mode):
        return b"f"
    return b"d" if stat.S_ISDIR(found.st_mode) else b"o"


def remark(path: bytes, why: str) -> bytes:
    """Return what is to be said of a path, as it stands in a record."""
    return path + b"\0" + why.encode("utf-8", "surrogateescape")


def remarked(data: bytes) -> tuple[bytes, str]:
    """Return the path, and what is to be said of it."""
    path, _, why = data.partition(b"\0")
    return path, why.decode("utf-8", "surrogateescape")
