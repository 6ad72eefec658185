"""Protocols between rooms: a port has what its users, the services, call."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from sesam.terms import Piece, Place


class Blob(Protocol):
    """Stored bytes that can be read at any place: a part, a piece, a file.

    Reading forward is cheap everywhere; on tape every step back costs a locate.
    """

    @property
    def size(self) -> int:
        """Bytes in all."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`; fewer than `length` only at the end.

        Raises Damaged where the medium no longer holds them, DeviceError where the
        device fails.
        """

    def close(self) -> None:
        """Give the device back; closing twice does no harm."""


class Store(Protocol):
    """Puts bytes under keys: a directory today. Keys are unique, never overwritten."""

    @property
    def name(self) -> str:
        """The data store's name in the catalog."""

    def open(self, key: str) -> Blob:
        """Return the bytes of `key`. Raises NotFound."""

    def stat(self, key: str) -> int:
        """Return the bytes under `key`. Raises NotFound."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in order."""

    def delete(self, key: str) -> None:
        """Forget `key`; durable on return. A key that is not there does no harm."""


class PieceWriter(Protocol):
    """Writes the parts of one saveset piece by piece; the mover's view of media.

    begin, write ..., end for each piece. `write` may take less than it is given: the
    medium ends there. The piece is then ended, `next_medium` called, and the rest goes
    into the next piece of the same part. The saveset's manifest is the last part.
    """

    def begin(self, part: str, number: int) -> None:
        """Open piece `number` of `part`."""

    def write(self, data: memoryview) -> int:
        """Take bytes; return how many. Fewer than given: this medium is full.

        Raises DeviceError when bytes already taken may be lost.
        """

    def end(self) -> Place:
        """Close the piece; on return it is durable. Returns where it lies."""

    def drop(self) -> None:
        """Take back the piece that is open: not a byte of it found room."""

    def next_medium(self) -> None:
        """Go on to another medium of the pool. Raises MediumFull if there is none."""

    def finish(self) -> None:
        """The manifest is written: leave the media in good order."""

    def abandon(self) -> None:
        """Keep nothing of this saveset: remove or invalidate what was written."""

    def media(self) -> tuple[str, ...]:
        """Return the labels, or the store names, written so far, in order."""


class PieceReader(Protocol):
    """Opens pieces wherever they lie."""

    def open_piece(self, piece: Piece) -> Blob:
        """Return the bytes of one piece. Raises NotFound, NoMedium, DeviceError."""

    def close(self) -> None:
        """Give devices back."""


class Drive(Protocol):
    """Reads and writes one tape, block by block, tape files parted by filemarks.

    A new drive's position is unknown until `locate`, `rewind` or `to_end`.
    """

    @property
    def block_size(self) -> int:
        """Bytes in a full block; only the last block of a tape file may be shorter."""

    @property
    def file(self) -> int:
        """Number of the tape file that the next block belongs to; 0 is the label."""

    @property
    def block(self) -> int:
        """Logical block address of the next block, filemarks counted (SSC-5 4.2.8)."""

    def rewind(self) -> None:
        """Go to the beginning of the tape."""

    def locate(self, file: int) -> None:
        """Go to the first block of tape file `file`. DeviceError past the data."""

    def to_end(self) -> None:
        """Go behind the last tape file."""

    def read_block(self) -> bytes:
        """Return the next block; b"" on passing a filemark or at the end of data."""

    def write_block(self, block: bytes | bytearray | memoryview) -> bool:
        """Write one block; True says that the tape is nearly full (early warning).

        Raises MediumFull when nothing of the block was written.
        """

    def write_filemark(self) -> None:
        """End the tape file; on return all of it is durable."""

    def close(self) -> None:
        """Give the drive back."""


class Outlet(Protocol):
    """Takes what a source sends, in order: the mover itself, or a pipe to it.

    start, then parts (each begun, then its data), warnings, index and tally anywhere
    between, and end last. Without end nothing was sent.
    """

    def start(self, facts: Mapping[str, object]) -> None:
        """The source has begun: format of the stream, definition of the source."""

    def begin_part(self, name: str) -> None:
        """What follows as data belongs to part `name`."""

    def data(self, chunk: bytes | memoryview) -> None:
        """Stored bytes of the part begun last; the caller uses their memory again."""

    def warning(self, path: bytes, reason: str) -> None:
        """An object could not be saved as it is; b"" where it is no single object."""

    def note(self, path: bytes, reason: str) -> None:
        """An object was left out by a rule of the site or the task: no warning.

        b"" where it is no object.
        """

    def index(self, chunk: bytes) -> None:
        """The listing in clear, compressed, for the server alone: never on a medium."""

    def tally(self, files: int, size_bytes: int) -> None:
        """So many objects and content bytes have been read so far."""

    def end(self, totals: Mapping[str, object]) -> None:
        """All was sent: state, counts, sizes."""
