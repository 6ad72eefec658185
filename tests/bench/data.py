"""The data sets of the bench: seeded trees, and what a day of use changes in them.

    python tests/bench/data.py create DIR --kind small [--scale 1.0] [--seed 1]
    python tests/bench/data.py mutate DIR --kind small --day 2 [--spare FILE]
    python tests/bench/data.py census DIR
    python tests/bench/data.py sample DIR --day 2

At scale 1.0:

    small   100,000 text-like files of 0 to 16 KiB, 388 MB, 5,555 directories; hard
            and symbolic links, xattrs, ACLs, owners, odd names, a sparse file
    many    as small, 1,000,000 files of 0 to 200 bytes
    chain   as small; a set of its own, because a chain of savesets takes many days
    large   8 files, 4 GiB: four that zstd halves, four of random bytes
    vm      one image of 4 GiB: 30 % holes, 30 % copies of other places, 40 % of its own

A day leaves the size level: of small 0.4 % of the files edited, 0.2 % each added,
deleted and renamed, and a directory renamed; of large and vm 1 % of the bytes, in
extents of 64 KiB, most of them in one tenth of the file. The file named by --spare
is left as it is, so that it can be asked for afterwards.
"""

import argparse
import json
import os
import random
import stat
from pathlib import Path

import content
import day
import files
from content import MIB, Prose

FILES = {"small": 100_000, "many": 1_000_000, "chain": 100_000}
KINDS = (*FILES, "large", "vm")
LARGE_BYTES = 4096 * MIB


def create(top: Path, kind: str, scale: float, seed: int) -> None:
    """Make the tree `top`, which must not exist."""
    top.mkdir(parents=True)
    lines = int(400_000 * min(1.0, max(0.05, 2 * scale)))
    prose = Prose(random.Random(f"text {seed}"), lines)
    rng = random.Random(f"{kind}-{seed}")
    if kind in FILES:
        count = max(200, int(FILES[kind] * scale))
        size = files.tiny if kind == "many" else files.modest
        files.tree(top, count, rng, prose, size)
    else:
        total = int(LARGE_BYTES * scale) // (8 * MIB) * 8 * MIB
        (content.large if kind == "large" else content.image)(top, total, rng, prose)


def census(top: Path) -> dict[str, int]:
    """Count objects and bytes, each inode once."""
    found = dict.fromkeys(("files", "directories", "others", "bytes", "allocated"), 0)
    seen = set()
    for base, names, others in os.walk(os.fsencode(top)):
        found["directories"] += 1
        for name in others + names:
            one = os.lstat(os.path.join(base, name))
            if stat.S_ISDIR(one.st_mode):
                continue
            found["files" if stat.S_ISREG(one.st_mode) else "others"] += 1
            if stat.S_ISREG(one.st_mode) and one.st_ino not in seen:
                seen.add(one.st_ino)
                found["bytes"] += one.st_size
                found["allocated"] += one.st_blocks * 512
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("create", "mutate", "census", "sample"))
    parser.add_argument("top", type=Path, metavar="DIR")
    parser.add_argument("--kind", choices=KINDS, default="small")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=int, default=1)
    parser.add_argument("--spare", default="")
    given = parser.parse_args()
    if given.action == "create":
        create(given.top, given.kind, given.scale, given.seed)
    elif given.action == "mutate":
        day.mutate(given.top, given.kind, given.day, given.seed, given.spare)
    elif given.action == "census":
        print(json.dumps(census(given.top)))
    else:
        print(day.sample(given.top, given.day))


if __name__ == "__main__":
    main()
