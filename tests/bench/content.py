"""What files of the bench hold: prose that compresses, mixed runs, a disk image."""

import os
import random
from itertools import accumulate
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
EXTENT = 64 * KIB
JOINTS = (" ", " ", " ", " ", ", ", " = ", "(", ") ", ".", "_")
# letters of English text, as often as they come there
LETTERS = "".join(
    letter * often
    for letter, often in zip(
        "etaoinshrdlucmfwypvbgkjqxz",
        (12, 9, 8, 8, 7, 7, 6, 6, 6, 4, 4, 3, 3, *[2] * 5, *[1] * 8),
        strict=True,
    )
)


class Prose:
    """Lines of words of which few are frequent; zstd -3 leaves 30 % of it."""

    def __init__(self, rng: random.Random, lines: int) -> None:
        words = [
            "".join(rng.choices(LETTERS, k=rng.randint(2, 11))) for _ in range(6000)
        ]
        words += [str(rng.randrange(10 ** rng.randint(1, 6))) for _ in range(600)]
        rng.shuffle(words)
        weights = list(accumulate(rank**-0.9 for rank in range(1, len(words) + 1)))
        self.lines = []
        for _ in range(lines):
            some = rng.choices(words, cum_weights=weights, k=rng.randint(2, 9))
            indent = " " * (4 * rng.randrange(4))
            self.lines.append(f"{indent}{rng.choice(JOINTS).join(some)}\n".encode())

    def take(self, rng: random.Random, size: int) -> bytes:
        """Return exactly `size` bytes."""
        found = b""
        while len(found) < size:
            missing = size - len(found)
            found += b"".join(rng.choices(self.lines, k=missing // 35 + 2))
        return found[:size]


def mixed(rng: random.Random, prose: Prose, size: int) -> bytes:
    """Return what zstd -3 about halves: runs, two thirds prose and one third random."""
    runs, length = [], 0
    while length < size:
        run = KIB << rng.randint(1, 5)
        runs += [prose.take(rng, 2 * run), rng.randbytes(run)]
        length += 3 * run
    return b"".join(runs)[:size]


def large(top: Path, size: int, rng: random.Random, prose: Prose) -> None:
    """Fill eight files, `size` bytes in all, the last four of them incompressible."""
    for number in range(8):
        name = f"mixed_{number}.bin" if number < 4 else f"random_{number}.bin"
        with open(top / name, "wb", buffering=0) as file:
            for _ in range(size // 8 // MIB):
                file.write(mixed(rng, prose, MIB) if number < 4 else rng.randbytes(MIB))


def image(top: Path, size: int, rng: random.Random, prose: Prose) -> None:
    """Make disk.img of `size` bytes, runs of 64 KiB to 1 MiB of each sort."""
    written: list[tuple[int, int]] = []
    with open(top / "disk.img", "w+b", buffering=0) as file:
        file.truncate(size)
        at = 0
        while at < size:
            run = min(EXTENT << rng.randrange(5), size - at)
            sort = rng.random()
            if 0.3 <= sort < 0.6 and written:
                source, length = rng.choice(written)
                run = min(run, length)
                file.seek(source)
                data = file.read(run)
            elif sort >= 0.3:
                data = mixed(rng, prose, run) if rng.random() < 0.7 else b""
                data = data or rng.randbytes(run)
                written.append((at, run))
            if sort >= 0.3:
                file.seek(at)
                file.write(data)
            at += run


def overwrite(path: Path, share: float, rng: random.Random, prose: Prose) -> None:
    """Write extents anew, in all `share` of the file, four of five in one tenth."""
    places = os.path.getsize(path) // EXTENT
    tenth = max(1, places // 10)
    begin = rng.randrange(max(1, places - tenth))
    chosen: set[int] = set()
    while len(chosen) < max(1, int(places * share)):
        hot = rng.random() < 0.8
        chosen.add(begin + rng.randrange(tenth) if hot else rng.randrange(places))
    with open(path, "r+b", buffering=0) as file:
        for place in sorted(chosen):
            file.seek(place * EXTENT)
            random_one = path.name.startswith("random")
            file.write(
                rng.randbytes(EXTENT) if random_one else mixed(rng, prose, EXTENT)
            )
