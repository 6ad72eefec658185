"""Frames of many parts that are read side by side: they wait in a temporary file.

Of each part one frame is read and the next one made ready, in threads, straight into
the file: so neither memory nor the reader's time grows with the number of parts.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from sesam.errors import ClientError, SesamError
from sesam.ports import Blob
from sesam.saveset import frames
from sesam.saveset.reader import FramedBlob
from sesam.spool import Spool

# So much of a frame is in memory.
_WINDOW = 64 << 10


class Parking:
    """Where frames wait, and the threads that bring them there; close it when done."""

    def __init__(self) -> None:
        self.spool = Spool(0)
        self.pool = ThreadPoolExecutor(2, thread_name_prefix="zstd")

    def close(self) -> None:
        """Give up what waits."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.spool.close()


class ParkedBlob(FramedBlob):
    """A FramedBlob that holds a window of a frame in memory, the frame in `parking`.

    Where that finds no room, the frame is held in memory.
    """

    def __init__(self, blob: Blob, name: str, parking: Parking) -> None:
        super().__init__(blob, name, 0, mend=True)
        self._parking = parking
        # Two frames of the part, in turn: where they may lie, and the room there.
        self._slots = [(0, 0), (0, 0)]
        self._coming: dict[int, Future[None]] = {}
        self._is_parked = False

    def _turn_to(self, begin: int, most: int) -> None:
        number = self.table.frame_at(begin)
        if number != self._last:
            table = self.table
            self._use(number)
            if self.table is not table:
                return
        elif self._is_parked and number + 1 < self.table.frames:
            # Who reads on in a frame will want the next one.
            with suppress(SesamError):
                self._send_for(number + 1)
        if self._is_parked:
            first, end = self.table.plain[number : number + 2]
            at, _ = self._slots[number % 2]
            size = min(max(most, _WINDOW), end - begin)
            self._plain = self._parking.spool.read_at(at + begin - first, size)
            self._begin = begin

    def _take(self, number: int) -> None:
        # What comes may lie where the frame at hand was.
        self._plain, self._last = b"", -2
        try:
            self._send_for(number)
            self._coming.pop(number).result()
        except ClientError:
            super()._take(number)
            self._is_parked = False
            return
        self._last, self._is_parked = number, True

    def _send_for(self, number: int) -> None:
        if number in self._coming:
            return
        # What has come for nothing lies where this one is to lie.
        self._dismiss()
        stored, size = self._stored(number)
        at, room = self._slots[number % 2]
        if size > room:
            at = self._parking.spool.reserve(size)
            self._slots[number % 2] = at, size
        self._coming[number] = self._parking.pool.submit(self._park, stored, size, at)

    def _park(self, stored: bytes, size: int, at: int) -> None:
        self._parking.spool.put(at, frames.decompress(stored, size, self._name))

    def _dismiss(self) -> None:
        for other in self._coming.values():
            if not other.cancel():
                other.exception()
        self._coming.clear()

    def _forget(self) -> None:
        super()._forget()
        self._dismiss()

    def close(self) -> None:
        self._dismiss()
        super().close()
