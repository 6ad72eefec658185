"""Bytes kept aside in a temporary file without a name, as they are stored."""

import os
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO

from sesam.errors import DeviceError
from sesam.ports import Blob

_CHUNK = 1 << 20


def temporary_file() -> BinaryIO:
    """Return a new file without a name. Raises DeviceError."""
    try:
        return TemporaryFile(buffering=0)
    except OSError as error:
        raise spool_failed(error) from error


def spool_failed(error: OSError) -> DeviceError:
    """Return what to raise where a temporary file cannot be used."""
    return DeviceError(
        f'a temporary file in "{gettempdir()}" cannot be used: {error.strerror}',
        hint="TMPDIR names another directory",
    )


class SpooledBlob:
    """A temporary file as a Blob; it is gone when it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            raise spool_failed(error) from error

    def close(self) -> None:
        self._file.close()


def fetched(blob: Blob) -> SpooledBlob:
    """Return a copy of a blob in a temporary file; the blob itself is closed."""
    file = temporary_file()
    try:
        for at in range(0, blob.size, _CHUNK):
            chunk = blob.read_at(at, _CHUNK)
            try:
                write_all(file, chunk)
            except OSError as error:
                raise spool_failed(error) from error
        return SpooledBlob(file)
    except BaseException:
        file.close()
        raise
    finally:
        blob.close()


def write_all(file: BinaryIO, chunk: bytes) -> None:
    """Write all of a chunk at the end of an unbuffered file. Raises OSError."""
    done = file.write(chunk)
    while done < len(chunk):
        done += file.write(chunk[done:])
