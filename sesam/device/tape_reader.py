"""Reads pieces back from tapes: each is a tape file of whole blocks and one rest."""

from collections.abc import Callable

from sesam.device.tape_writer import read_label
from sesam.errors import Damaged
from sesam.ports import Drive
from sesam.rules.label import check_label
from sesam.terms import Piece


class TapeBlob:
    """One tape file as a Blob. Reading on is cheap, going back costs a locate."""

    def __init__(self, drive: Drive, piece: Piece) -> None:
        self._drive = drive
        self._piece = piece
        self._next = -1
        self._number = -1
        self._held = b""

    @property
    def size(self) -> int:
        return self._piece.size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        size = self._drive.block_size
        found = []
        while offset < end:
            number, at = divmod(offset, size)
            block = self._block(number)
            chunk = block[at : at + end - offset]
            if not chunk:
                place = self._piece.place
                raise Damaged(
                    f'tape file {place.file} of "{place.medium}" is shorter than'
                    f" {self.size} bytes"
                )
            found.append(chunk)
            offset += len(chunk)
        return b"".join(found)

    def close(self) -> None:
        """The drive serves the next piece."""

    def _block(self, number: int) -> bytes:
        if number == self._number:
            return self._held
        if self._next < 0 or number < self._next:
            self._drive.locate(self._piece.place.file)
            self._next = 0
        while True:
            self._held = self._drive.read_block()
            self._number = self._next
            if not self._held:
                self._next = -1
                return b""
            self._next += 1
            if self._number == number:
                return self._held


class TapeReader:
    """A PieceReader over tapes.

    load -- brings a labelled medium into a drive; raises NoMedium
    """

    def __init__(self, load: Callable[[str], Drive], site_id: str) -> None:
        self._load = load
        self._site_id = site_id
        self._label = ""
        self._drive: Drive | None = None

    def open_piece(self, piece: Piece) -> TapeBlob:
        label = piece.place.medium
        if self._drive is None or label != self._label:
            self.close()
            drive = self._load(label)
            check_label(read_label(drive), site=self._site_id, label=label)
            self._drive, self._label = drive, label
        return TapeBlob(self._drive, piece)

    def close(self) -> None:
        """Give the drive back."""
        if self._drive is not None:
            self._drive.close()
            self._drive = None
