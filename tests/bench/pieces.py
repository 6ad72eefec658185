"""Cut the data of savesets between frames, one piece for each core.

    python tests/bench/pieces.py STORE OUT

With that, `zstd -t` can use as many cores as a verification does. Frames are found by
the seek table at the end of each data segment, see sesam-saveset(5).
"""

import mmap
import os
import struct
import sys
from pathlib import Path

MAGIC = 0x8F92EAB1


def frames(segment: mmap.mmap) -> list[int]:
    """Return the stored sizes of the frames of a segment, the table itself last."""
    count, _, magic = struct.unpack("<IBI", segment[-9:])
    assert magic == MAGIC, "no seek table"
    table = segment[-9 - 8 * count : -9]
    return [*(stored for stored, _ in struct.iter_unpack("<II", table)), 17 + 8 * count]


def main(store: Path, out: Path) -> None:
    pieces = [(out / f"piece-{n}.zst").open("wb") for n in range(os.cpu_count() or 1)]
    for path in sorted(store.glob("S*/data-*.tar.zst")):
        with path.open("rb") as file:
            segment = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        share = -(-len(segment) // len(pieces))
        at = 0
        for size in frames(segment):
            pieces[at // share].write(segment[at : at + size])
            at += size
    for one in pieces:
        one.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
