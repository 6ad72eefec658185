"""The data of a sparse file: many extents, and few of them in memory."""

import weakref
from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

_IN_MEMORY = 1 << 16
_PAIR_BYTES = 16


class Extents:
    """Pairs of (offset, length), in order; as many as there are may be passed over.

    What is beyond `in_memory` pairs goes to a temporary file; each number takes 8 bytes
    and must be below 2^63, or OverflowError is raised. Raises OSError.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._numbers = array("q")
        self._limit = 2 * in_memory
        self._file: BinaryIO | None = None
        self._spilled = 0

    def append(self, offset: int, length: int) -> None:
        """Add one pair."""
        self._numbers.append(offset)
        self._numbers.append(length)
        if len(self._numbers) >= self._limit:
            if self._file is None:
                self._file = TemporaryFile()  # noqa: SIM115 - it lives with the extents
                weakref.finalize(self, self._file.close)
            self._file.seek(0, 2)
            self._file.write(self._numbers)
            self._spilled += len(self._numbers) // 2
            self._numbers = array("q")

    def __len__(self) -> int:
        return self._spilled + len(self._numbers) // 2

    def __iter__(self) -> Iterator[tuple[int, int]]:
        at, some = 0, _PAIR_BYTES * (_IN_MEMORY >> 4)
        while self._file is not None:
            self._file.seek(at)
            stored = array("q", self._file.read(some))
            if not stored:
                break
            at += stored.itemsize * len(stored)
            yield from zip(stored[::2], stored[1::2], strict=True)
        yield from zip(self._numbers[::2], self._numbers[1::2], strict=True)
