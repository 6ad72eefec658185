"""Reads pieces back from tapes: each is a tape file of whole blocks and one rest."""

from collections.abc import Callable

from sesam.device.tape_writer import read_label
from sesam.errors import Damaged
from sesam.ports import Drive
from sesam.rules.label import check_label
from sesam.terms import Piece


class TapeBlob:
    """One tape file as a Blob. Reading on is cheap, going back costs a locate."""

    def __init__(self, reader: "TapeReader", piece: Piece, block_size: int) -> None:
        self.piece = piece
        self._reader = reader
        self._block_size = block_size
        self._next = -1
        self._number = -1
        self._held = b""

    @property
    def size(self) -> int:
        return self.piece.size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        found = []
        while offset < end:
            number, at = divmod(offset, self._block_size)
            block = self._block(number)
            chunk = block[at : at + end - offset]
            if not chunk:
                place = self.piece.place
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
        drive, stayed = self._reader.drive_for(self)
        if not stayed or self._next < 0 or number < self._next:
            self._next = -1
            drive.locate(self.piece.place.file)
            self._next = 0
        while True:
            self._held = drive.read_block()
            self._number = self._next
            if not self._held:
                self._next = -1
                return b""
            self._next += 1
            if self._number == number:
                return self._held


class TapeReader:
    """A PieceReader over tapes: one drive for as many open pieces as there are.

    load -- brings a labelled medium into a drive; raises NoMedium
    """

    def __init__(self, load: Callable[[str], Drive], site_id: str) -> None:
        self._load = load
        self._site_id = site_id
        self._label = ""
        self._drive: Drive | None = None
        # Who moved the tape last: for all others it stands somewhere else now.
        self._moved: TapeBlob | None = None

    def open_piece(self, piece: Piece) -> TapeBlob:
        return TapeBlob(self, piece, self._with(piece.place.medium).block_size)

    def drive_for(self, blob: TapeBlob) -> tuple[Drive, bool]:
        """Return the drive with a blob's medium in it, and whether it stayed in place.

        The blob is taken to move the tape now. Raises NoMedium, DeviceError.
        """
        drive = self._with(blob.piece.place.medium)
        stayed = self._moved is blob
        self._moved = blob
        return drive, stayed

    def close(self) -> None:
        """Give the drive back."""
        self._moved = None
        if self._drive is not None:
            self._drive.close()
            self._drive = None

    def _with(self, label: str) -> Drive:
        """Return the drive with the medium `label` in it."""
        if self._drive is None or label != self._label:
            self.close()
            drive = self._load(label)
            check_label(read_label(drive), site=self._site_id, label=label)
            self._drive, self._label = drive, label
        return self._drive
