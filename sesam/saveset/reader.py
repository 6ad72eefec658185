"""Random access to the plain bytes of a part: one frame for one small file.

Read forward, the next frames are decompressed ahead in threads; memory is a few frames.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from sesam.errors import Damaged, UnknownFormat
from sesam.ports import Blob
from sesam.saveset import frames, framescan, seektable
from sesam.saveset.seektable import SeekTable

if TYPE_CHECKING:
    from sesam.crypt.keys import Identity

AHEAD = 3
_KEPT = AHEAD + 2
# Frames that a thread is given at once, where all are only looked at.
_TOGETHER = 4


class FramedBlob:
    """The plain bytes of a part made of frames, as a Blob.

    blob -- the stored bytes, decrypted; name -- of the part, for messages
    ahead -- frames that are decompressed ahead of one who reads forward
    mend -- where the seek table is damaged the frames themselves say where they are
    Raises UnknownFormat when there is no seek table, Damaged on reading what is not
    as it was written.
    """

    def __init__(
        self, blob: Blob, name: str, ahead: int = AHEAD, *, mend: bool = False
    ) -> None:
        self._blob = blob
        self._name = name
        self._most_ahead = ahead
        self._scanned = not mend
        try:
            self.table = seektable.read(blob, name)
        except UnknownFormat as error:
            self.table = self._scan(error)
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: OrderedDict[int, Future[bytes]] = OrderedDict()
        self._last = -2
        # The frame that was used last, so that the common read is one slice.
        self._begin = 0
        self._plain = b""

    @property
    def size(self) -> int:
        return self.table.size

    def read_at(self, offset: int, length: int) -> bytes:
        at = offset - self._begin
        if at >= 0 and at + length <= len(self._plain):
            return self._plain[at : at + length]
        return b"".join(self.chunks(offset, min(offset + length, self.size)))

    def chunks(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield the plain bytes from `begin` to `end`, a frame's worth at a time."""
        if begin < 0 or end > self.size:
            raise Damaged(f'"{self._name}" ends before byte {end}')
        while begin < end:
            chunk = self.some(begin, end - begin)
            begin += len(chunk)
            yield chunk

    def some(self, begin: int, most: int) -> bytes:
        """Return the bytes from `begin` to the end of its frame, `most` of them."""
        at = begin - self._begin
        if not 0 <= at <= at + most <= len(self._plain):
            table = self.table
            self._turn_to(begin, most)
            if self.table is not table:
                # Mended: the byte lies in another frame.
                return self.some(begin, most)
            at = begin - self._begin
        chunk = self._plain[at : at + most]
        if not chunk:
            raise Damaged(f'"{self._name}" ends before byte {begin + most}')
        return chunk

    def _turn_to(self, begin: int, most: int) -> None:
        """Have the frame with the byte `begin` at hand."""
        number = self.table.frame_at(begin)
        if number != self._last:
            self._use(number)

    def plain_sizes(self) -> Iterator[int]:
        """Decompress every frame, in threads; yield the plain bytes of each.

        Raises Damaged where one is not as it was written.
        """

        def sizes_of(some: list[tuple[bytes, int]]) -> list[int]:
            return [len(frames.decompress(*stored, self._name)) for stored in some]

        count = self.table.frames
        # Read here, one after the other: a medium may know no other order.
        groups = (
            [self._stored(one) for one in range(at, min(at + _TOGETHER, count))]
            for at in range(0, count, _TOGETHER)
        )
        for sizes in frames.in_order(sizes_of, groups):
            yield from sizes

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._blob.close()

    def _use(self, number: int) -> None:
        """Decompress a frame; where it is not what the table says, ask the frames."""
        try:
            self._take(number)
        except Damaged as error:
            written = self.table
            found = self._scan(error)
            if found == written or found.stored != written.stored:
                raise
            self._forget()
            self.table = found
            try:
                self._take(number)
            except Damaged:
                self.table = written
                raise error from None

    def _forget(self) -> None:
        """Give up all that is held: frames have other numbers now."""
        self._plain, self._last = b"", -2
        self._ahead.clear()

    def _scan(self, error: Damaged) -> SeekTable:
        """Return the table that the frames give; where they give none, raise `error`.

        Once: what is still damaged then is no fault of the table.
        """
        if self._scanned:
            raise error
        self._scanned = True
        found = framescan.scan(self._blob)
        if not found.frames:
            raise error
        return found

    def _take(self, number: int) -> None:
        if number == self._last + 1 and self._most_ahead:
            plain = self._read_ahead(number)
        else:
            plain = frames.decompress(*self._stored(number), self._name)
        self._plain, self._begin = plain, self.table.plain[number]
        self._last = number

    def _stored(self, number: int) -> tuple[bytes, int]:
        begin, end = self.table.stored[number : number + 2]
        size = self.table.plain[number + 1] - self.table.plain[number]
        if end - begin > frames.FRAME_LIMIT:
            raise Damaged(
                f'the seek table of "{self._name}" promises too large a frame'
            )
        return self._blob.read_at(begin, end - begin), size

    def _read_ahead(self, number: int) -> bytes:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2, thread_name_prefix="zstd")
        for one in range(number, min(number + self._most_ahead, self.table.frames)):
            if one not in self._ahead:
                stored, size = self._stored(one)
                self._ahead[one] = self._pool.submit(
                    frames.decompress, stored, size, self._name
                )
        while len(self._ahead) > _KEPT:
            self._ahead.popitem(last=False)
        return self._ahead.pop(number).result()


def open_part(
    blob: Blob,
    name: str,
    identities: "Sequence[Identity]",
    opened: Callable[[Blob, str], FramedBlob] | None = None,
) -> FramedBlob:
    """Return the plain bytes of the stored part `name`, its seek table mended.

    identities -- needed where the name ends in `.age`
    opened -- makes it out of the decrypted bytes and the name, in another way
    Raises NoIdentity, Damaged, UnknownFormat.
    """
    if name.endswith(".age"):
        from sesam.crypt.agefile import AgeBlob

        blob = AgeBlob(blob, identities)
    return opened(blob, name) if opened else FramedBlob(blob, name, mend=True)


def listing_text(part: FramedBlob, frame: int = 0) -> Iterator[bytes]:
    """Yield the plain text of a listing from a frame on, a frame at a time."""
    if not part.table.frames:
        raise UnknownFormat("the listing is empty")
    at = part.table.plain[frame]
    while at < part.size:
        chunk = part.some(at, frames.FRAME_LIMIT)
        at += len(chunk)
        yield chunk
