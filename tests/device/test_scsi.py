"""Drives and libraries over iSCSI; sense and status, whatever a device answers."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tapelib import TapeLibrary as Library

from sesam.device.loader import DRIVE, SLOT, TapeLibrary, parse_status
from sesam.device.scsi.sense import decode, error_of
from sesam.device.scsi.unit import CHANGER, TAPE, Unit
from sesam.device.tape import TapeDrive
from sesam.errors import (
    DeviceError,
    MediumFull,
    NoMedium,
    NotFound,
    PositionLost,
    WriteProtected,
)

BLOCK = 64 << 10


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    one = Library()
    yield one
    one.close()


@pytest.fixture
def drive(library: Library) -> Iterator[TapeDrive]:
    """Drive 0 with a fresh tape in it, taken out again."""
    changer = TapeLibrary(library.changer)
    slot = next(n for n, one in enumerate(changer.elements(SLOT), 1) if one.full)
    changer.load(slot, 0)
    one = TapeDrive(library.url(1), BLOCK)
    yield one
    one.close()
    changer.unload(0)
    changer.close()


def fixed(key: int, code: int, bits: int = 0, information: int = 0) -> bytes:
    return struct.pack(">BBBiB4xH4x", 0xF0, 0, key | bits, information, 10, code)


def test_sense_is_read_in_both_forms() -> None:
    found = decode(fixed(3, 0x1100, 0x80, -5))
    assert (found.key, found.code, found.filemark, found.information) == (
        3, 0x1100, True, -5,
    )  # fmt: skip
    stream = bytes((4, 2, 0, 0x40))
    raw = bytes((0x72, 0x08, 0x00, 0x05, 0, 0, 0, len(stream))) + stream
    assert (decode(raw).key, decode(raw).eom) == (8, True)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_sense_is_read(raw: bytes) -> None:
    for first in (0x70, 0x72):
        found = decode(bytes((first,)) + raw)
        assert str(error_of(found, "x"))
    decode(raw)


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_any_element_status_comes_to_an_end(raw: bytes) -> None:
    assert len(list(parse_status(raw))) <= len(raw)
    body = bytes((0, 0, 0, 0, 0)) + len(raw).to_bytes(3, "big") + raw
    list(parse_status(body))


@pytest.mark.parametrize(
    ("key", "code", "kind"),
    [
        (2, 0x3A00, NoMedium), (6, 0x2900, PositionLost), (6, 0x2800, PositionLost),
        (7, 0x2700, WriteProtected), (13, 0x0002, MediumFull), (5, 0x3B0D, DeviceError),
        (5, 0x3B0E, NoMedium), (3, 0x0C00, DeviceError),
    ],
)  # fmt: skip
def test_sense_becomes_the_error_it_means(
    key: int, code: int, kind: type[DeviceError]
) -> None:
    assert type(error_of(decode(fixed(key, code)), "drive: write")) is kind


def test_the_library_knows_its_slots_and_barcodes(library: Library) -> None:
    changer = TapeLibrary(library.changer)
    slots = changer.elements(SLOT)
    assert [one.barcode for one in slots if one.full] == library.barcodes
    assert len(changer.elements(DRIVE)) == 2
    assert changer.slot_of("T2L8") == 2
    assert changer.slot_of("none") == 0
    changer.close()


def test_media_move_to_a_drive_and_back(library: Library) -> None:
    changer = TapeLibrary(library.changer)
    changer.load(3, 1)
    held = changer.elements(DRIVE)[1]
    assert (held.full, held.barcode) == (True, "T3L8")
    with pytest.raises(NoMedium):
        changer.load(3, 0)
    with pytest.raises(DeviceError):
        changer.load(2, 1)
    assert changer.unload(1) == 3
    with pytest.raises(NotFound, match="slot 99"):
        changer.load(99, 0)
    changer.close()


def test_blocks_and_tape_files_come_back(drive: TapeDrive) -> None:
    drive.rewind()
    blocks = [bytes((n,)) * BLOCK for n in range(3)] + [b"short"]
    for file in range(3):
        for block in blocks[file:]:
            assert drive.write_block(block) is False
        drive.write_filemark()
        assert drive.file == file + 1
    for file in (2, 0, 1, 1):
        drive.locate(file)
        found = []
        while block := drive.read_block():
            found.append(block)
        assert found == blocks[file:]
        assert drive.file == file + 1
    assert drive.read_block() == blocks[2]
    drive.to_end()
    assert drive.file == 3
    assert drive.read_block() == b""


def test_a_tape_file_behind_the_data_is_an_error(drive: TapeDrive) -> None:
    drive.rewind()
    drive.write_block(b"label")
    drive.write_filemark()
    with pytest.raises(DeviceError, match="ends before"):
        drive.locate(7)
    drive.locate(0)
    assert drive.read_block() == b"label"


def test_a_full_tape_warns_and_has_every_block(drive: TapeDrive) -> None:
    drive.rewind()
    written = 0
    while True:
        warned = drive.write_block(written.to_bytes(4, "big") * (BLOCK // 4))
        written += 1
        if warned:
            break
        assert written < 200
    drive.write_filemark()
    assert written > 80
    drive.locate(0)
    for number in range(written):
        assert drive.read_block()[:4] == number.to_bytes(4, "big")
    assert drive.read_block() == b""


def test_a_block_larger_than_the_pools_is_said(
    drive: TapeDrive, library: Library
) -> None:
    drive.rewind()
    drive.write_block(bytes(BLOCK))
    drive.write_filemark()
    drive.close()
    small = TapeDrive(library.url(1), 4096)
    small.rewind()
    with pytest.raises(DeviceError):
        small.read_block()
    small.close()


def test_an_empty_drive_says_so(library: Library) -> None:
    with pytest.raises(NoMedium, match="no medium"):
        empty = TapeDrive(library.url(2), BLOCK)
        empty.rewind()


def test_a_drive_is_no_library_and_the_other_way(library: Library) -> None:
    with pytest.raises(DeviceError, match="no tape library"):
        Unit(library.url(1), CHANGER)
    with pytest.raises(DeviceError, match="no tape drive"):
        Unit(library.changer, TAPE)


@pytest.mark.parametrize(
    "url", ["iscsi://127.0.0.1:1/iqn.none/1", "scsi:/dev/none", "iscsi://x", "tape"]
)
def test_a_device_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(DeviceError) as found:
        TapeDrive(url, BLOCK)
    assert url.removeprefix("scsi:") in str(found.value)


def test_a_session_that_breaks_says_that_the_position_is_lost() -> None:
    own = Library(tapes=1, drives=1)
    changer = TapeLibrary(own.changer)
    changer.load(1, 0)
    drive = TapeDrive(own.url(1), BLOCK)
    drive.rewind()
    own.close()
    with pytest.raises(PositionLost):
        drive.write_block(b"x" * BLOCK)
    with pytest.raises(PositionLost):
        drive.write_block(b"x" * BLOCK)
    drive.close()
    changer.close()
