"""Under which name each object of several names was restored first.

Few are kept in memory; when there are many, a table in a temporary file: a tree can
have millions of them.
"""

import os
import struct
from typing import BinaryIO

from sesam.digest import hexdigest
from sesam.saveset.listing import Line
from sesam.service.fetching.spool import spool_failed, temporary_file, write_all

_IN_MEMORY = 20_000
# A slot of the table: key, place of the path; place 0 = free.
_SLOT = struct.Struct("<QQ")
_SLOTS = 1 << 16
_AT_ONCE = 8
_LENGTH = struct.Struct("<I")


class FirstNames:
    """First names by what the lines of one object have in common.

    Lines are those of one object where file system and inode are the same, and all
    that is restored from them as well: an inode that was used again meanwhile is
    another object.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._held: dict[int, bytes] = {}
        self._limit = in_memory
        self._table: _Table | None = None

    def __enter__(self) -> "FirstNames":
        return self

    def __exit__(self, *error: object) -> None:
        if self._table is not None:
            self._table.close()

    def get(self, line: Line) -> bytes | None:
        """Return the path, relative to the target, that `put` was told."""
        key = _key(line)
        found = self._held.get(key)
        if found is None and self._table is not None:
            found = self._table.get(key)
        return found

    def put(self, line: Line) -> None:
        """Remember the path of a line as the name to link to from now on."""
        key, path = _key(line), line.path.strip(b"/")
        self._held[key] = path
        if len(self._held) > self._limit:
            if self._table is None:
                self._table = _Table()
            for one, name in self._held.items():
                self._table.put(one, name)
            self._held.clear()


def _key(line: Line) -> int:
    facts = (line.device, line.inode, line.kind, line.size, line.mtime, line.digest)
    # 64 of the 128 bits: whoever links looks at the object that stands there as well.
    return int(hexdigest(repr((facts, line.target)).encode())[:16], 16)


class _Table:
    """A hash table with open addressing in one file, paths in another."""

    def __init__(self) -> None:
        self._paths = temporary_file()
        write_all(self._paths, b"\0")
        self._end = 1
        self._slots, self._size, self._used = _slots(_SLOTS), _SLOTS, 0

    def close(self) -> None:
        self._paths.close()
        self._slots.close()

    def get(self, key: int) -> bytes | None:
        try:
            _, place = self._find(key)
            if not place:
                return None
            fd = self._paths.fileno()
            (length,) = _LENGTH.unpack(os.pread(fd, _LENGTH.size, place))
            return os.pread(fd, length, place + _LENGTH.size)
        except OSError as error:
            raise spool_failed(error) from error

    def put(self, key: int, path: bytes) -> None:
        try:
            if 2 * self._used > self._size:
                self._grow()
            slot, known = self._find(key)
            os.pwrite(self._slots.fileno(), _SLOT.pack(key, self._end), slot)
            stored = _LENGTH.pack(len(path)) + path
            write_all(self._paths, stored)
            self._end += len(stored)
            self._used += not known
        except OSError as error:
            raise spool_failed(error) from error

    def _find(self, key: int) -> tuple[int, int]:
        """Return the offset of the slot of a key, or of a free one; and its place."""
        at, fd = key % self._size, self._slots.fileno()
        while True:
            few = os.pread(fd, _AT_ONCE * _SLOT.size, at * _SLOT.size)
            for number, (found, place) in enumerate(_SLOT.iter_unpack(few)):
                if not place or found == key:
                    return (at + number) * _SLOT.size, place
            at += _AT_ONCE
            if at >= self._size:
                at = 0

    def _grow(self) -> None:
        old = self._slots
        self._size *= 2
        self._slots = _slots(self._size)
        old.seek(0)
        while chunk := old.read(1 << 16):
            for key, place in _SLOT.iter_unpack(chunk):
                if place:
                    slot, _ = self._find(key)
                    os.pwrite(self._slots.fileno(), _SLOT.pack(key, place), slot)
        old.close()


def _slots(count: int) -> BinaryIO:
    file = temporary_file()
    try:
        file.truncate(count * _SLOT.size)
    except OSError as error:
        file.close()
        raise spool_failed(error) from error
    return file
