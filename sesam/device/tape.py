"""A tape drive: blocks, filemarks, positions (SSC-5), with no trust in what it says.

Blocks have variable length: all are of the pool's block size but the last of a tape
file. The drive counts tape files for itself; what a device says of its position counts
only where it says that it knows.
"""

import struct

from sesam.device.scsi.sense import BLANK_CHECK, VOLUME_OVERFLOW, Sense, error_of
from sesam.device.scsi.unit import TAPE, Unit
from sesam.errors import DeviceError, MediumFull, PositionLost

_REWIND, _READ_6, _WRITE_6, _FILEMARKS_6, _SPACE_6 = 0x01, 0x08, 0x0A, 0x10, 0x11
_MODE_SELECT_6, _READ_POSITION = 0x15, 0x34
_POSITION_UNKNOWN = 0x04
_SPACE_FILEMARKS = 1
_WRITE_S, _READ_S, _POSITION_S, _REWIND_S = 300.0, 300.0, 3600.0, 1200.0
_LONGEST = 0xFFFFFF


class TapeDrive:
    """A Drive over one logical unit; url as in sesam.device.scsi.unit.

    Raises DeviceError, NoMedium where it cannot be used; every method raises
    PositionLost when the device was reset, or its medium changed, in between.
    """

    def __init__(self, url: str, block_size: int) -> None:
        self._unit = Unit(url, TAPE)
        self._size = block_size
        self._file = -1
        self._block = -1
        self._within_file = False
        # A buffer of twice the size: some devices answer a long request wrongly only
        # when it is longer than the block, yet shorter than two.
        self._buffer = bytearray(2 * block_size)
        self._variable_blocks()

    @property
    def block_size(self) -> int:
        return self._size

    @property
    def file(self) -> int:
        return self._file

    @property
    def block(self) -> int:
        return self._block

    def rewind(self) -> None:
        self._file = self._block = -1
        self._must(struct.pack(">B5x", _REWIND), "rewind", _REWIND_S)
        self._file = self._block = 0

    def locate(self, file: int) -> None:
        # Forward from the beginning: spacing backwards over filemarks is where drives
        # differ, and blocks within a tape file are read, not located.
        if file != self._file or self._within_file:
            if file <= self._file or self._file < 0:
                self.rewind()
            self._space_filemarks(file - self._file)
        self._within_file = False

    def to_end(self) -> None:
        """Go behind the last tape file, counting the filemarks on the way."""
        self.rewind()
        while True:
            sense = self._space(1)
            if sense is not None and not sense.filemark:
                break
            self._file += 1
        self._block = self._position()

    def read_block(self) -> bytes:
        self._within_file = True
        sense = self._read(len(self._buffer))
        if sense is None:
            raise DeviceError(f'"{self._unit.url}": a block is larger than the pool\'s')
        if sense.filemark:
            self._file += 1
            self._count()
            self._within_file = False
            return b""
        if sense.key == BLANK_CHECK:
            return b""
        if sense.ili and sense.key == 0:
            length = len(self._buffer) - sense.information
            if not 0 < length <= self._size:
                raise DeviceError(
                    f'"{self._unit.url}": a block of {length} bytes is none of ours',
                    hint="the tape was written with another block size",
                )
            self._count()
            return bytes(self._buffer[:length])
        raise self._lost(sense, "read")

    def write_block(self, block: bytes | bytearray | memoryview) -> bool:
        cdb = struct.pack(">BB3sx", _WRITE_6, 0, len(block).to_bytes(3, "big"))
        self._within_file = True
        sense = self._unit.send(cdb, "write", data_out=block, timeout_s=_WRITE_S)
        if sense is None:
            self._count()
            return False
        if sense.key in (0, 1) and sense.eom:
            self._block += 1  # early warning: the block is on the tape
            return True
        if sense.key == VOLUME_OVERFLOW:
            raise MediumFull(f'"{self._unit.url}": the tape ends')
        if sense.key in (0, 1):
            self._count()
            return False
        raise self._lost(sense, "write")

    def write_filemark(self) -> None:
        # Not immediate: its end says that all before it has left the drive's buffer.
        cdb = struct.pack(">BB3sx", _FILEMARKS_6, 0, (1).to_bytes(3, "big"))
        sense = self._unit.send(cdb, "write filemark", timeout_s=_WRITE_S)
        if sense is not None and sense.key > 1 and not self._is_warning(sense):
            raise self._lost(sense, "write filemark")
        self._file += 1
        self._count()
        self._within_file = False

    def close(self) -> None:
        self._unit.close()

    @staticmethod
    def _is_warning(sense: Sense) -> bool:
        # Behind early warning a filemark that was written is told with EOM.
        return sense.eom and sense.key in (0, 1)

    def _count(self) -> None:
        if self._block >= 0:
            self._block += 1

    def _read(self, length: int) -> Sense | None:
        cdb = struct.pack(">BB3sx", _READ_6, 0, length.to_bytes(3, "big"))
        return self._unit.send(cdb, "read", data_in=self._buffer, timeout_s=_READ_S)

    def _space_filemarks(self, count: int) -> None:
        if not count:
            return
        sense = self._space(count)
        if sense is not None:
            self._file = self._block = -1
            raise DeviceError(
                f'"{self._unit.url}": the tape ends before tape file {count}'
            )
        self._file += count
        self._block = self._position()

    def _space(self, count: int) -> Sense | None:
        cdb = struct.pack(
            ">BB3sx", _SPACE_6, _SPACE_FILEMARKS, count.to_bytes(3, "big")
        )
        sense = self._unit.send(cdb, "space", timeout_s=_POSITION_S)
        if sense is not None and sense.key > 1 and sense.key != BLANK_CHECK:
            raise self._lost(sense, "space")
        return sense

    def _position(self) -> int:
        """Return the address of the next block, -1 where the device knows none."""
        data = bytearray(20)
        cdb = struct.pack(">B9x", _READ_POSITION)
        sense = self._unit.send(cdb, "read position", data_in=data)
        if sense is not None or data[0] & _POSITION_UNKNOWN:
            return -1
        return int.from_bytes(data[4:8], "big")

    def _lost(self, sense: Sense, what: str) -> DeviceError:
        """Return the error; where the tape stands is not known from here on."""
        self._file = self._block = -1
        error = error_of(sense, f'"{self._unit.url}": {what}')
        if isinstance(error, PositionLost):
            self._unit.settle()
        return error

    def _must(self, cdb: bytes, what: str, timeout_s: float) -> None:
        self._unit.must(cdb, what, timeout_s=timeout_s)

    def _variable_blocks(self) -> None:
        """Set block length 0 (variable): header and one block descriptor."""
        if not 0 < self._size <= _LONGEST // 2:
            raise DeviceError(f"no drive writes blocks of {self._size} bytes")
        parameters = bytes((0, 0, 0x10, 8)) + bytes(8)
        cdb = struct.pack(">BBxxBx", _MODE_SELECT_6, 0x10, len(parameters))
        self._unit.must(cdb, "mode select", data_out=parameters)
