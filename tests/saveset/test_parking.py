"""Frames that wait in a temporary file give the same bytes as those in memory."""

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sink import Bytes

from sesam.errors import Damaged
from sesam.saveset import frames, seektable
from sesam.saveset.parking import ParkedBlob, Parking
from sesam.saveset.reader import FramedBlob


def part_of(sizes: list[int], seed: int = 1) -> tuple[bytes, bytes]:
    """Return plain and stored bytes of a part with frames of these sizes."""
    rng = random.Random(seed)
    plain = [bytes(rng.choices(b"abcdef", k=size)) for size in sizes]
    stored = [frames.compress(one, 1) for one in plain]
    table = seektable.encode(
        [(len(one), size) for one, size in zip(stored, sizes, strict=True)]
    )
    return b"".join(plain), b"".join(stored) + table


@pytest.fixture
def parking() -> Iterator[Parking]:
    made = Parking()
    yield made
    made.close()


SIZES = [100_000, 1, 300_000, 70_000, 250_000, 90_000]


def test_many_parts_are_read_side_by_side(parking: Parking) -> None:
    rng = random.Random(5)
    made = [part_of(SIZES, seed) for seed in range(12)]
    blobs = [ParkedBlob(Bytes(stored), "data", parking) for _, stored in made]
    at = [0] * len(made)
    while any(done < len(plain) for done, (plain, _) in zip(at, made, strict=True)):
        one = rng.randrange(len(made))
        plain, size = made[one][0], rng.choice([1, 512, 5000, 200_000])
        size = min(size, len(plain) - at[one])
        assert blobs[one].read_at(at[one], size) == plain[at[one] : at[one] + size]
        at[one] += size
    for blob in blobs:
        blob.close()


def test_places_are_read_in_any_order(parking: Parking) -> None:
    rng = random.Random(6)
    plain, stored = part_of(SIZES)
    blob = ParkedBlob(Bytes(stored), "data", parking)
    for _ in range(500):
        begin = rng.randrange(len(plain))
        size = min(rng.randrange(1, 80_000), len(plain) - begin)
        assert blob.read_at(begin, size) == plain[begin : begin + size]
    blob.close()


def test_a_damaged_frame_spoils_no_other(parking: Parking) -> None:
    plain, stored = part_of(SIZES)
    whole = FramedBlob(Bytes(stored), "data").table
    hit = whole.stored[2] + 40
    blob = ParkedBlob(Bytes(stored[:hit] + b"XX" + stored[hit + 2 :]), "data", parking)
    first, second = whole.plain[2:4]
    assert blob.read_at(0, first) == plain[:first]
    for _ in range(2):
        with pytest.raises(Damaged):
            blob.read_at(first + 10, 20)
    assert blob.read_at(second, 100_000) == plain[second : second + 100_000]
    assert blob.read_at(0, first) == plain[:first]
    blob.close()


@contextmanager
def no_room() -> Iterator[None]:
    """No file may grow beyond 50,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_frames_are_held_in_memory(parking: Parking) -> None:
    plain, stored = part_of(SIZES)
    blob = ParkedBlob(Bytes(stored), "data", parking)
    with no_room():
        found = [blob.read_at(at, 1000) for at in range(0, len(plain), 1000)]
    assert b"".join(found) == plain
    blob.close()
