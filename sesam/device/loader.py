"""A tape library: slots, drives, and the robot between them (SMC-3)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sesam.device.scsi.unit import CHANGER, Unit
from sesam.errors import DeviceError, NotFound

_READ_ELEMENT_STATUS, _MOVE_MEDIUM, _MODE_SENSE_6 = 0xB8, 0xA5, 0x1A
_ASSIGNMENT_PAGE = 0x1D
SLOT, PORT, DRIVE = 2, 3, 4
_MOVE_S = 600.0
_STATUS_BYTES = 64 << 10
_HEADER, _PAGE, _TAG = 8, 8, 36
_FULL, _HAS_SOURCE = 0x01, 0x80
_PRIMARY_TAG = 0x80


@dataclass(frozen=True, slots=True)
class Element:
    """A place in the library: type, address, whether a medium is in it, its barcode.

    source -- address of the slot that a medium in a drive came from, -1 = not known
    """

    type: int
    address: int
    full: bool
    barcode: str = ""
    source: int = -1


class TapeLibrary:
    """The changer at a device URL. Slots are counted from 1, drives from 0.

    Raises DeviceError, NotFound, NoMedium.
    """

    def __init__(self, url: str) -> None:
        self._unit = Unit(url, CHANGER)
        self._robot = self._robot_address()

    def elements(self, kind: int) -> list[Element]:
        """Return the elements of one type (SLOT, PORT, DRIVE) by address."""
        data = bytearray(_STATUS_BYTES)
        # Barcodes asked for; one type at a time, because some libraries mix up several.
        cdb = struct.pack(
            ">BBHHB3sxx",
            _READ_ELEMENT_STATUS,
            0x10 | kind,
            0,
            0xFFFF,
            0,
            _STATUS_BYTES.to_bytes(3, "big"),
        )
        self._unit.must(cdb, "read element status", data_in=data, timeout_s=_MOVE_S)
        found = [one for one in parse_status(bytes(data)) if one.type == kind]
        return sorted(found, key=lambda one: one.address)

    def slot_of(self, barcode: str) -> int:
        """Return the slot that holds a barcode, 0 where none does."""
        for number, one in enumerate(self.elements(SLOT), 1):
            if one.full and one.barcode == barcode:
                return number
        return 0

    def load(self, slot: int, drive: int) -> None:
        """Move the medium of a slot into a drive."""
        self._move(self._at(SLOT, slot - 1, "slot"), self._at(DRIVE, drive, "drive"))

    def unload(self, drive: int) -> int:
        """Move the medium of a drive to the slot it came from, or a free one.

        Returns the number of the slot.
        """
        held = self._at(DRIVE, drive, "drive")
        slots = self.elements(SLOT)
        free = [one for one in slots if not one.full]
        home = next((one for one in free if one.address == held.source), None)
        if home is None and not free:
            raise DeviceError(f'"{self._unit.url}": no slot is free')
        target = home or free[0]
        self._move(held, target)
        return slots.index(target) + 1

    def close(self) -> None:
        """End the session."""
        self._unit.close()

    def _at(self, kind: int, number: int, what: str) -> Element:
        found = self.elements(kind)
        if not 0 <= number < len(found):
            raise NotFound(
                f'"{self._unit.url}" has no {what} {number + (kind == SLOT)}'
            )
        return found[number]

    def _move(self, source: Element, target: Element) -> None:
        cdb = struct.pack(
            ">BxHHH4x", _MOVE_MEDIUM, self._robot, source.address, target.address
        )
        what = f"move medium {source.barcode or source.address}"
        self._unit.must(cdb, what, timeout_s=_MOVE_S)

    def _robot_address(self) -> int:
        """Return the address of the first robot (element address assignment page)."""
        data = bytearray(64)
        cdb = struct.pack(">BBBxBx", _MODE_SENSE_6, 0x08, _ASSIGNMENT_PAGE, len(data))
        sense = self._unit.send(cdb, "mode sense", data_in=data)
        page = 4 + data[3]
        if sense is not None or data[page] & 0x3F != _ASSIGNMENT_PAGE:
            return 0  # address 0 means the default robot (SMC-3, MOVE MEDIUM)
        return int.from_bytes(data[page + 2 : page + 4], "big")


def parse_status(data: bytes) -> Iterator[Element]:
    """Yield the elements of READ ELEMENT STATUS data (SMC-3 clause 6.10).

    Whatever the bytes, this comes to an end: what contradicts itself is passed over.
    """
    at = _HEADER
    end = min(len(data), _HEADER + int.from_bytes(data[5:8], "big"))
    while at + _PAGE <= end:
        kind, flags = data[at], data[at + 1]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        size = int.from_bytes(data[at + 5 : at + 8], "big")
        first = at + _PAGE
        last = min(end, first + size)
        if length >= 12:
            for one in range(first, last - 11, length):
                yield _element(kind, flags, data[one : one + length])
        at = max(last, at + _PAGE)


def _element(kind: int, flags: int, raw: bytes) -> Element:
    source = int.from_bytes(raw[10:12], "big") if raw[9] & _HAS_SOURCE else -1
    barcode = ""
    if flags & _PRIMARY_TAG:
        barcode = raw[12 : 12 + 32].decode("ascii", "replace").strip(" \0")
    return Element(
        kind,
        int.from_bytes(raw[0:2], "big"),
        full=bool(raw[2] & _FULL),
        barcode=barcode,
        source=source,
    )
