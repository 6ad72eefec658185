"""Parts: plain bytes become frames, frames become the parts that an Outlet takes.

The tar of a saveset is cut into segments of `segment_bytes` of tar, give or take a
frame: counted before compression, so that where an object lies is known while it is
read. Each segment and the listing ends with its own seek table; encrypted,
each is an age file of its own.
"""

from collections.abc import Sequence
from typing import Protocol

from sesam.crypt.agefile import AgeWriter
from sesam.ports import Outlet
from sesam.saveset import listing, seektable
from sesam.saveset.frames import FRAME_BYTES, Compressor
from sesam.saveset.tarhead import BLOCK
from sesam.spool import Spool

AGE = ".age"
_LISTING_LEVEL = 3
_ZEROS = bytes(BLOCK)


def segment_name(number: int) -> str:
    """Return the name of data segment `number`, counted from 1, before encryption."""
    return f"data-{number:04d}.tar.zst"


class _Plain:
    """Passes bytes through where nothing is encrypted."""

    def __init__(self, outlet: Outlet) -> None:
        self.write = outlet.data

    def finish(self) -> None:
        """Nothing is held back."""


class Writing(Protocol):
    """What takes the stored bytes of one part."""

    def write(self, data: bytes) -> object: ...
    def finish(self) -> None: ...


class PartStream:
    """Frames of one part after the other, each part closed by its seek table."""

    def __init__(self, outlet: Outlet, recipients: Sequence[str]) -> None:
        self._outlet = outlet
        self._recipients = recipients
        self._sizes: list[tuple[int, int]] = []
        self._to: Writing | None = None

    def begin(self, name: str) -> None:
        """Begin a part; `name` gets its `.age` here."""
        self._outlet.begin_part(name + AGE if self._recipients else name)
        self._sizes = []
        self._to = (
            AgeWriter(self._recipients, self._outlet.data)
            if self._recipients
            else _Plain(self._outlet)
        )

    def frame(self, frame: bytes, plain_size: int) -> None:
        """Add one zstd frame."""
        assert self._to is not None
        self._to.write(frame)
        self._sizes.append((len(frame), plain_size))

    def end(self) -> None:
        """Close the part with its seek table."""
        assert self._to is not None
        self._to.write(seektable.encode(self._sizes))
        self._to.finish()


class SegmentWriter:
    """Takes the tar stream and cuts it into frames and segments.

    `segment` and `offset` say where the next byte will lie: number of the segment from
    1, plain bytes into it.
    """

    def __init__(
        self, parts: PartStream, *, segment_bytes: int, zstd_level: int
    ) -> None:
        self._parts = parts
        self._limit = max(segment_bytes, FRAME_BYTES)
        self._compressor = Compressor(zstd_level, self._take)
        self._buffer: list[bytes] = []
        self.held = 0
        self.segment = 1
        self._flushed = 0
        # Frames come back from the threads later than they were put: the numbers of
        # those with which a further segment begins.
        self._cuts: list[int] = []
        self._frames_put = 0
        self._frames_taken = 0
        self._open = 1
        parts.begin(segment_name(1))

    @property
    def offset(self) -> int:
        return self._flushed + self.held

    def room_for(self, size: int) -> None:
        """An object of `size` bytes follows: begin a frame where it would be torn."""
        if self.held and (self.held + size > FRAME_BYTES or self.held >= FRAME_BYTES):
            self.flush()
        if self._flushed and self.offset + min(size, FRAME_BYTES) > self._limit:
            self.flush()
            self._cut()

    def member(self, head: bytes, content: bytes = b"") -> listing.Place:
        """Append an object that stays in one frame; return where it lies."""
        size = len(content)
        total = len(head) + size + -size % BLOCK
        held = self.held
        if held + total > FRAME_BYTES or self._flushed + held + total > self._limit:
            self.room_for(total)
        place = listing.HOLDS, self.segment, self._flushed + self.held
        self._buffer += (head, content, _ZEROS[: -size % BLOCK])
        self.held += total
        return place

    def add(self, *pieces: bytes) -> None:
        """Append bytes of one object, which stay in one frame."""
        for piece in pieces:
            self._buffer.append(piece)
            self.held += len(piece)

    def stream(self, chunk: bytes) -> None:
        """Append content of a large object, across frames and segments."""
        self.add(chunk)
        if self.held >= FRAME_BYTES:
            self.flush()
            if self._flushed >= self._limit:
                self._cut()

    def flush(self) -> None:
        """End the frame that is open, if any."""
        if not self.held:
            return
        plain = b"".join(self._buffer)
        self._buffer.clear()
        self._flushed += self.held
        self.held = 0
        self._frames_put += 1
        self._compressor.put(plain)

    def finish(self) -> None:
        """End the last segment."""
        self.flush()
        self._compressor.finish()
        self._parts.end()

    def close(self) -> None:
        """End the threads, whatever became of the stream."""
        self._compressor.close()

    def _cut(self) -> None:
        self._cuts.append(self._frames_put)
        self.segment += 1
        self._flushed = 0

    def _take(self, frame: bytes, plain_size: int) -> None:
        if self._cuts and self._cuts[0] == self._frames_taken:
            del self._cuts[0]
            self._parts.end()
            self._open += 1
            self._parts.begin(segment_name(self._open))
        self._frames_taken += 1
        self._parts.frame(frame, plain_size)


class ListingWriter:
    """Collects the lines of the listing while the data is written, then sends them.

    What is compressed already, and the lines of deleted paths, which come last, wait in
    files without a name, so that memory stays flat however many objects there are.
    Raises ClientError where these files do not find room.
    """

    def __init__(self, source: dict[str, object]) -> None:
        self._lines = [listing.head(source)]
        self._held = 0
        self._frames = Spool(4 * FRAME_BYTES)
        self._gone = Spool(FRAME_BYTES)
        self._compressor = Compressor(_LISTING_LEVEL, self._keep, threads=1)
        self._sizes: list[tuple[int, int]] = []
        self.objects = 0
        self.deleted = 0

    def add(self, line: bytes) -> None:
        """Add the line of one object of the tree."""
        self._lines.append(line)
        self.objects += 1
        self._held += len(line)
        if self._held >= FRAME_BYTES:
            self._flush()

    def add_all(self, lines: Sequence[bytes]) -> None:
        """Add the lines of objects that follow each other."""
        self.add_text(b"".join(lines), len(lines))

    def add_text(self, text: bytes, count: int) -> None:
        """Add the lines of so many objects that follow each other."""
        self._lines.append(text)
        self.objects += count
        self._held += len(text)
        if self._held >= FRAME_BYTES:
            self._flush()

    def gone(self, path: bytes) -> None:
        """Add a path that has been deleted since the base."""
        self._gone.add(listing.gone(path))
        self.deleted += 1

    def finish(self, parts: PartStream, outlet: Outlet, *, encrypted: bool) -> None:
        """Send the listing as a part; encrypted, in clear as index records as well."""
        for at in range(0, self._gone.size, FRAME_BYTES):
            self._lines.append(self._gone.read_at(at, FRAME_BYTES))
            self._flush()
        self._lines.append(listing.end(self.objects, self.deleted))
        self._flush()
        self._compressor.finish()
        parts.begin(listing.NAME)
        at = 0
        for stored, plain in self._sizes:
            frame = self._frames.read_at(at, stored)
            at += stored
            parts.frame(frame, plain)
            if encrypted:
                outlet.index(frame)
        parts.end()
        if encrypted:
            outlet.index(seektable.encode(self._sizes))

    def close(self) -> None:
        """Give file and thread back."""
        self._compressor.close()
        self._frames.close()
        self._gone.close()

    def _flush(self) -> None:
        self._compressor.put(b"".join(self._lines))
        self._lines.clear()
        self._held = 0

    def _keep(self, frame: bytes, plain_size: int) -> None:
        self._frames.add(frame)
        self._sizes.append((len(frame), plain_size))
