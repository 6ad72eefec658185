"""The entries of one directory in byte order, however many there are.

Up to RUN entries are sorted in memory. A larger directory is sorted in runs that wait
in a temporary file without a name and are merged while they are read, so that memory
stays flat.
"""

import os
from collections.abc import Iterator
from heapq import merge
from os import fsencode
from tempfile import TemporaryFile
from typing import BinaryIO

RUN = 100_000
_READ_BYTES = 64 << 10

FILE, DIRECTORY, OTHER = range(3)


# A name, and FILE, DIRECTORY or OTHER as the directory says.
Entry = tuple[bytes, int]


def entries(fd: int, run: int = RUN) -> Iterator[Entry]:
    """Return the entries of the open directory `fd`, sorted by name as bytes.

    Raises OSError where the directory cannot be read.
    """
    held: list[Entry] = []
    runs: list[tuple[int, int]] = []
    file: BinaryIO | None = None
    with os.scandir(fd) as found:
        for entry in found:
            if entry.is_file(follow_symlinks=False):
                kind = FILE
            elif entry.is_dir(follow_symlinks=False):
                kind = DIRECTORY
            else:
                kind = OTHER
            held.append((fsencode(entry.name), kind))
            if len(held) == run:
                file = file or TemporaryFile()  # noqa: SIM115 - closed by _merged
                runs.append(_store(file, held))
                held = []
    held.sort()
    if file is None:
        return iter(held)
    return _merged(file, runs, held)


def _store(file: BinaryIO, held: list[Entry]) -> tuple[int, int]:
    held.sort()
    begin = file.seek(0, os.SEEK_END)
    file.write(b"".join([b"%b%d\0" % entry for entry in held]))
    return begin, file.tell()


def _merged(
    file: BinaryIO, runs: list[tuple[int, int]], held: list[Entry]
) -> Iterator[Entry]:
    with file:
        file.flush()
        parts = [_stored(file.fileno(), begin, end) for begin, end in runs]
        yield from merge(*parts, iter(held))


def _stored(fd: int, begin: int, end: int) -> Iterator[Entry]:
    rest = b""
    while begin < end:
        chunk = os.pread(fd, min(_READ_BYTES, end - begin), begin)
        begin += len(chunk)
        *whole, rest = (rest + chunk).split(b"\0")
        for record in whole:
            yield record[:-1], record[-1] - ord("0")
