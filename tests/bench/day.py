"""What a day of use changes in a tree."""

import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import content
from content import KIB, Prose
from files import ENDINGS, modest


def plain_files(top: Path) -> Iterator[str]:
    """Files with one name each, outside the odd corner, in a fixed order."""
    for base, names, files in os.walk(top):
        names[:] = sorted(set(names) - {"odd"})
        for name in sorted(files):
            one = os.lstat(f"{base}/{name}")
            if stat.S_ISREG(one.st_mode) and one.st_nlink == 1:
                yield f"{base}/{name}"


def sample(top: Path, day: int) -> str:
    """Choose a file to restore: of some size where there are such."""
    files = [one for one in plain_files(top) if os.lstat(one).st_size > 500]
    return random.Random(f"sample-{day}").choice(files or list(plain_files(top)))


def mutate(top: Path, kind: str, day: int, seed: int, spare: str = "") -> None:
    """Let a day of use pass over the tree."""
    rng = random.Random(f"{kind}-{seed}-day-{day}")
    prose = Prose(random.Random(f"text {seed} of day {day}"), 50_000)
    if kind == "vm":
        content.overwrite(top / "disk.img", 0.01, rng, prose)
    elif kind == "large":
        for path in sorted(top.iterdir())[::2]:
            content.overwrite(path, 0.02, rng, prose)
    else:
        _change_files(top, day, rng, prose, spare)


def _change_files(
    top: Path, day: int, rng: random.Random, prose: Prose, spare: str
) -> None:
    files = [one for one in plain_files(top) if one != spare]
    places = sorted({os.path.dirname(one) for one in files})
    edits, some = len(files) * 4 // 1000, len(files) * 2 // 1000
    chosen = iter(rng.sample(files, edits + 2 * some))
    for _ in range(edits):
        _edit(next(chosen), rng, prose)
    for number in range(some):
        os.unlink(next(chosen))
        name = f"new{day}_{number:06}{rng.choice(ENDINGS)}"
        data = prose.take(rng, modest(rng))
        Path(rng.choice(places), name).write_bytes(data)
    for path in chosen:
        name = f"moved{day}_{os.path.basename(path)[-60:]}"
        os.rename(path, f"{rng.choice(places)}/{name}")
    leaves = [
        one
        for one in places
        if not spare.startswith(f"{one}/") and os.stat(one).st_nlink == 2
    ]
    leaf = rng.choice(leaves)
    os.rename(leaf, f"{leaf.split('_moved')[0]}_moved{day}")


def _edit(path: str, rng: random.Random, prose: Prose) -> None:
    """Append to the file, or write it anew."""
    grows = rng.random() < 0.5 and os.path.getsize(path) < 15 * KIB
    with open(path, "ab" if grows else "wb") as file:
        file.write(prose.take(rng, rng.randint(1, 1000) if grows else modest(rng)))
