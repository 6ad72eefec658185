"""Sense data: what a device says went wrong (SPC-4 clause 4.5)."""

from dataclasses import dataclass

from sesam.errors import (
    DeviceError,
    MediumFull,
    NoMedium,
    PositionLost,
    WriteProtected,
)

NO_SENSE, RECOVERED, NOT_READY, MEDIUM_ERROR, HARDWARE_ERROR = range(5)
ILLEGAL_REQUEST, UNIT_ATTENTION, DATA_PROTECT, BLANK_CHECK = range(5, 9)
VOLUME_OVERFLOW = 0x0D
_FIXED = (0x70, 0x71)
_DESCRIPTOR = (0x72, 0x73)
_INFORMATION, _STREAM = 0x00, 0x04
_NO_MEDIUM = 0x3A
_DESTINATION_FULL, _SOURCE_EMPTY = 0x3B0D, 0x3B0E

_KEYS = (
    "no sense",
    "recovered error",
    "not ready",
    "medium error",
    "hardware error",
    "illegal request",
    "unit attention",
    "data protect",
    "blank check",
    "vendor specific",
    "copy aborted",
    "aborted command",
    "reserved",
    "volume overflow",
    "miscompare",
    "completed",
)


@dataclass(frozen=True, slots=True)
class Sense:
    """key, code -- sense key; ASC and ASCQ as one number, 0x3b0d
    filemark, eom, ili -- stream bits; information -- signed, 0 where there is none
    """

    key: int
    code: int
    filemark: bool = False
    eom: bool = False
    ili: bool = False
    information: int = 0

    def __str__(self) -> str:
        return f"{_KEYS[self.key]} {self.code >> 8:02x}/{self.code & 255:02x}"


def decode(raw: bytes) -> Sense:
    """Return what sense data say; whatever the bytes, this comes to an end."""
    kind = raw[0] & 0x7F if raw else 0
    if kind in _FIXED and len(raw) >= 8:
        code = int.from_bytes(raw[12:14].ljust(2, b"\0"), "big")
        information = int.from_bytes(raw[3:7], "big", signed=True)
        valid = bool(raw[0] & 0x80)
        return _sense(raw[2], code, information if valid else 0)
    if kind in _DESCRIPTOR and len(raw) >= 8:
        return _descriptors(raw)
    return Sense(HARDWARE_ERROR, 0)


def _descriptors(raw: bytes) -> Sense:
    bits, information = 0, 0
    at = 8
    end = min(len(raw), 8 + raw[7])
    while at + 2 <= end:
        kind, length = raw[at], raw[at + 1]
        if kind == _INFORMATION and length >= 10:
            information = int.from_bytes(raw[at + 4 : at + 12], "big", signed=True)
        elif kind == _STREAM and at + 3 < end:
            bits = raw[at + 3]
        at += 2 + length
    return _sense(raw[1] & 0x0F | bits & 0xE0, raw[2] << 8 | raw[3], information)


def _sense(bits: int, code: int, information: int) -> Sense:
    return Sense(
        bits & 0x0F,
        code,
        filemark=bool(bits & 0x80),
        eom=bool(bits & 0x40),
        ili=bool(bits & 0x20),
        information=information,
    )


def error_of(sense: Sense, what: str) -> DeviceError:
    """Return the error for sense that the caller has no other use for.

    what -- device and command, for the message
    """
    text = f"{what}: {sense}"
    if sense.code >> 8 == _NO_MEDIUM:
        return NoMedium(f"{what}: there is no medium in the drive")
    if sense.key == UNIT_ATTENTION:
        return PositionLost(f"{text}: the device was reset or its medium changed")
    if sense.key == DATA_PROTECT:
        return WriteProtected(f"{what}: the medium is write-protected")
    if sense.key == VOLUME_OVERFLOW:
        return MediumFull(f"{what}: the medium is full")
    if sense.code == _DESTINATION_FULL:
        return DeviceError(f"{what}: the destination is full")
    if sense.code == _SOURCE_EMPTY:
        return NoMedium(f"{what}: the source is empty")
    return DeviceError(text)
