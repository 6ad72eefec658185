"""Writes the pieces of one saveset onto tapes, from one medium to the next.

On each medium: a header (one block), then pieces, each a tape file. The first early
warning ends the tape file after the block that told of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sesam.errors import DeviceError, MediumFull
from sesam.ports import Drive
from sesam.rules.label import (
    Header,
    Label,
    check_label,
    decode_label,
    encode_header,
)
from sesam.terms import Place


@dataclass(slots=True)
class LoadedTape:
    """A labelled medium in a drive; files -- tape files on it, label included."""

    drive: Drive
    label: str
    files: int
    used_bytes: int = 0
    full: bool = False


class TapeWriter:
    """A PieceWriter over tapes.

    header -- what the header says, its label, part, number and file filled in here
    following -- loads the next medium of the pool; raises MediumFull, NoMedium
    Raises WrongMedium, ForeignSite where a tape's label is not the one expected.
    """

    def __init__(
        self,
        header: Header,
        first: LoadedTape,
        following: Callable[[], LoadedTape],
    ) -> None:
        self._header = header
        self._following = following
        self.tapes: list[LoadedTape] = []
        self._began_at: dict[str, int] = {}
        self._held = bytearray()
        self._place = Place()
        self._ended = False
        self._header_due = False
        self._enter(first)

    def begin(self, part: str, number: int) -> None:
        if self._header_due:
            self._write_header(part, number)
        drive = self._tape.drive
        self._held.clear()
        self._ended = self._tape.full
        self._place = Place(medium=self._tape.label, file=drive.file, block=drive.block)

    def write(self, data: memoryview) -> int:
        if self._ended:
            return 0
        size = self._tape.drive.block_size
        at = 0
        if self._held:
            at = min(len(data), size - len(self._held))
            self._held += data[:at]
            if len(self._held) < size:
                return at
            self._put(memoryview(bytes(self._held)))
            self._held.clear()
        while not self._ended and len(data) - at >= size:
            self._put(data[at : at + size])
            at += size
        if not self._ended:
            self._held += data[at:]
            at = len(data)
        return at

    def end(self) -> Place:
        if self._held:
            self._put(memoryview(bytes(self._held)))
            self._held.clear()
        self._tape.drive.write_filemark()
        self._tape.files = self._tape.drive.file
        return self._place

    def drop(self) -> None:
        self._held.clear()

    def next_medium(self) -> None:
        self._tape.full = True
        self._enter(self._following())

    def finish(self) -> None:
        """The last filemark has made everything durable."""

    def abandon(self) -> None:
        """Leave the media as they are: without a manifest nothing on them counts.

        The next saveset begins where this one did, so its tape files are written over.
        """
        for tape in self.tapes:
            tape.files = self._began_at[tape.label]
            tape.used_bytes = 0
            tape.full = False

    def media(self) -> tuple[str, ...]:
        return tuple(tape.label for tape in self.tapes)

    @property
    def _tape(self) -> LoadedTape:
        return self.tapes[-1]

    def _put(self, block: memoryview) -> None:
        try:
            warned = self._tape.drive.write_block(block)
        except MediumFull as error:
            # Behind an early warning that never came: bytes taken are not on the tape.
            raise DeviceError(
                f'tape "{self._tape.label}" ends without an early warning'
            ) from error
        self._tape.used_bytes += len(block)
        if warned:
            self._ended = self._tape.full = True

    def _enter(self, tape: LoadedTape) -> None:
        header = self._header
        found = read_label(tape.drive)
        check_label(found, site=header.site, label=tape.label)
        if tape.label in self._began_at:
            raise DeviceError(f'tape "{tape.label}" came twice for one saveset')
        tape.drive.locate(tape.files)
        self.tapes.append(tape)
        self._began_at[tape.label] = tape.files
        self._header_due = True

    def _write_header(self, part: str, number: int) -> None:
        drive, header = self._tape.drive, self._header
        block = encode_header(
            Header(
                site=header.site,
                label=self._tape.label,
                saveset=header.saveset,
                part=part,
                number=number,
                file=drive.file + 1,
                block_bytes=drive.block_size,
                encrypted=header.encrypted,
                identity=header.identity,
            )
        )
        if drive.write_block(block):
            self._tape.full = True
        drive.write_filemark()
        self._header_due = False


def read_label(drive: Drive) -> Label:
    """Return the label of the tape in a drive. Raises UnknownFormat, DeviceError."""
    drive.rewind()
    return decode_label(drive.read_block())


def write_label(drive: Drive, block: bytes) -> None:
    """Write a label at the beginning; what was on the tape is gone."""
    drive.rewind()
    drive.write_block(block)
    drive.write_filemark()
