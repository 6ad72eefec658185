"""The bytes of a saveset's tar across its segments.

A segment is cut at a frame, wherever that is: the content of a large file, or the map
of a sparse one, goes on at the beginning of the next segment.
"""

from collections.abc import Callable, Iterator

from sesam.errors import Damaged
from sesam.saveset.reader import FramedBlob
from sesam.saveset.tarread import Member, read_member
from sesam.service.fetching.spool import spool_failed


class TarBytes:
    """The tar from the first byte of segment `number` on, to its end.

    segment -- opens a segment by number, and may close the one before; raises Damaged
    where there is none
    """

    def __init__(self, segment: Callable[[int], FramedBlob], number: int) -> None:
        self._segment = segment
        self._number = number

    def member(self, offset: int) -> Member | None:
        """Return the member at an offset, None at the end of the tar.

        Raises Damaged; DeviceError where no temporary file can hold a sparse map.
        """
        try:
            return read_member(self.read_at, offset)
        except OSError as error:
            raise spool_failed(error) from error

    def peek(self, offset: int, most: int) -> bytes:
        """Return bytes up to the end of their frame; b"" where none can be had so."""
        segment = self._segment(self._number)
        return segment.some(offset, most) if 0 <= offset < segment.size else b""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset. Raises Damaged where the tar ends before."""
        segment = self._segment(self._number)
        if offset >= 0 and offset + length <= segment.size:
            return segment.read_at(offset, length)
        return b"".join(self.chunks(offset, offset + length))

    def chunks(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `begin` to `end`, a frame's worth at a time."""
        if begin < 0:
            raise Damaged("an object lies before the beginning of its segment")
        number, first = self._number, 0
        while begin < end:
            segment = self._segment(number)
            last = first + segment.size
            if begin < last:
                upto = min(end, last)
                yield from segment.chunks(begin - first, upto - first)
                begin = upto
            first = last
            number += 1
