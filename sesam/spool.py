"""Bytes that wait in a temporary file without a name, so that memory stays flat."""

import os
import tempfile
from typing import BinaryIO

from sesam.errors import ClientError

_MEMORY_BYTES = 1 << 20


class Spool:
    """Appended bytes that can be read, and written over, at any place.

    memory_bytes -- so much of the end stays in memory; what is small never needs a file
    Every call raises ClientError where the file cannot be made, written or read.
    """

    def __init__(self, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._limit = memory_bytes
        self._tail = bytearray()
        self._stored = 0
        self._file: BinaryIO | None = None

    @property
    def size(self) -> int:
        return self._stored + len(self._tail)

    def add(self, data: bytes) -> int:
        """Append bytes; return where they lie."""
        at = self.size
        self._tail += data
        if len(self._tail) > self._limit:
            self._write(self._stored, self._tail)
            self._stored += len(self._tail)
            self._tail.clear()
        return at

    def reserve(self, size: int) -> int:
        """Return where `size` bytes have room, to be put there by any thread."""
        self._write(self._stored, self._tail)
        self._stored += len(self._tail)
        self._tail.clear()
        at, self._stored = self._stored, self._stored + size
        return at

    def put(self, offset: int, data: bytes) -> None:
        """Write over bytes that one `add` has appended, or `reserve` made room for."""
        if offset >= self._stored:
            at = offset - self._stored
            self._tail[at : at + len(data)] = data
        else:
            self._write(offset, data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`; fewer than `length` only at the end."""
        found = b""
        if offset < self._stored:
            found = self._read(offset, min(length, self._stored - offset))
            offset += len(found)
        at = offset - self._stored
        return found + self._tail[at : at + length - len(found)]

    def close(self) -> None:
        """Forget the bytes; closing twice does no harm."""
        self._tail = bytearray()
        if self._file is not None:
            self._file.close()

    def _write(self, offset: int, data: bytes | bytearray) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            left = memoryview(data)
            while left:
                done = os.pwrite(self._file.fileno(), left, offset)
                offset, left = offset + done, left[done:]
        except OSError as error:
            raise spool_failed(error) from error

    def _read(self, offset: int, length: int) -> bytes:
        assert self._file is not None
        try:
            found = os.pread(self._file.fileno(), length, offset)
            while len(found) < length:
                at = offset + len(found)
                more = os.pread(self._file.fileno(), length - len(found), at)
                if not more:
                    raise OSError("it is shorter than it was")
                found += more
        except OSError as error:
            raise spool_failed(error) from error
        return found


def spool_failed(error: OSError) -> ClientError:
    """Return the error of a temporary file, which says where it was to be."""
    try:
        where = tempfile.gettempdir()
    except OSError:  # no directory can be written at all
        where = os.environ.get("TMPDIR", "/tmp")
    why = error.strerror or str(error)
    return ClientError(
        f'a temporary file in "{where}" cannot be used: {why}',
        hint="TMPDIR names another directory, one with more room",
    )
