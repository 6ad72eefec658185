"""The entries of one directory in byte order, however many there are.

Up to RUN entries are sorted in memory. A larger directory is sorted in runs that wait
in a temporary file without a name and are merged while they are read, so that memory
stays flat.
"""

import os
from collections.abc import Iterator
from heapq import merge
from sys import getfilesystemencodeerrors, getfilesystemencoding

from sesam.spool import Spool

RUN = 100_000
_READ_BYTES = 64 << 10

FILE, DIRECTORY, OTHER = range(3)


# As os.fsencode has them, which costs a call for each name.
_ENCODING, _ERRORS = getfilesystemencoding(), getfilesystemencodeerrors()

# A name, and FILE, DIRECTORY or OTHER as the directory says.
Entry = tuple[bytes, int]


def entries(fd: int, run: int = RUN) -> Iterator[Entry]:
    """Return the entries of the open directory `fd`, sorted by name as bytes.

    Raises OSError where the directory cannot be read, ClientError where runs do not fit
    into the temporary file.
    """
    held: list[Entry] = []
    runs: list[tuple[int, int]] = []
    spool: Spool | None = None
    with os.scandir(fd) as found:
        for entry in found:
            if entry.is_file(follow_symlinks=False):
                kind = FILE
            elif entry.is_dir(follow_symlinks=False):
                kind = DIRECTORY
            else:
                kind = OTHER
            held.append((entry.name.encode(_ENCODING, _ERRORS), kind))
            if len(held) == run:
                spool = spool or Spool(memory_bytes=0)
                runs.append(_store(spool, held))
                held = []
    held.sort()
    if spool is None:
        return iter(held)
    return _merged(spool, runs, held)


def _store(spool: Spool, held: list[Entry]) -> tuple[int, int]:
    held.sort()
    begin = spool.add(b"".join([b"%b%d\0" % entry for entry in held]))
    return begin, spool.size


def _merged(
    spool: Spool, runs: list[tuple[int, int]], held: list[Entry]
) -> Iterator[Entry]:
    try:
        parts = [_stored(spool, begin, end) for begin, end in runs]
        yield from merge(*parts, iter(held))
    finally:
        spool.close()


def _stored(spool: Spool, begin: int, end: int) -> Iterator[Entry]:
    rest = b""
    while begin < end:
        chunk = spool.read_at(begin, min(_READ_BYTES, end - begin))
        begin += len(chunk)
        *whole, rest = (rest + chunk).split(b"\0")
        for record in whole:
            yield record[:-1], record[-1] - ord("0")
