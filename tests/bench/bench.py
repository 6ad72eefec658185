"""Figures beside those of others: python tests/bench/bench.py [--files N] [--runs N]

Makes a tree of small files, then times pairwise, cold start of each process included,
`tar | zstd -3 -T0` and whatever other programs are installed (restic, borg) against
`sm_backup start` and `sm_restore start`. Ratios are ours / theirs: below 1 is faster.
Peak memory is that of the largest process of a run.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BIN = Path(__file__).resolve().parents[2] / "bin"


def make_tree(top: Path, files: int) -> int:
    """Small files as on a file server: 100 B to 20 KB, half of them text-like."""
    rng = random.Random(1)
    words = [rng.randbytes(rng.randrange(2, 9)).hex().encode() for _ in range(500)]
    total = 0
    for number in range(files):
        path = top / f"d{number % 97}" / f"e{number % 31}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = int(100 * 200 ** rng.random())
        body = (
            b" ".join(rng.choices(words, k=size // 8))
            if number % 2
            else rng.randbytes(size)
        )
        path.write_bytes(body)
        total += len(body)
    return total


class Bench:
    def __init__(self, where: Path, source: Path) -> None:
        self.where, self.source = where, source
        self.env = {**os.environ, "SESAM_ROOT": str(where / "site")}
        self.sm("setup init --zone UTC")
        self.sm(f"task add tree --source {source}")
        self.count = 0

    def sm(self, line: str) -> None:
        program, *rest = line.split()
        self.run([str(BIN / f"sm_{program}"), *rest])

    def run(self, command: list[str]) -> None:
        subprocess.run(command, env=self.env, check=True, capture_output=True)

    def fresh(self) -> Path:
        self.count += 1
        return self.where / f"out{self.count}"

    def ours(self) -> None:
        self.sm("backup start tree")

    def restore(self) -> None:
        self.sm(f"restore start --task tree --target {self.fresh()}")

    def tar(self) -> None:
        line = f"tar c {self.source} | zstd -3 -T0 -q -o {self.fresh()}"
        self.run(["sh", "-c", line])

    def untar(self) -> None:
        target = self.fresh()
        target.mkdir()
        packed = next(one for one in sorted(self.where.glob("out*")) if one.is_file())
        self.run(["sh", "-c", f"zstd -dc {packed} | tar x -C {target}"])

    def restic(self) -> None:
        repository = self.fresh()
        call = ["restic", "-r", str(repository), "--insecure-no-password"]
        self.run([*call, "init"])
        self.run([*call, "backup", str(self.source)])

    def borg(self) -> None:
        repository = self.fresh()
        self.run(["borg", "init", "-e", "none", str(repository)])
        self.run(
            ["borg", "create", "-C", "zstd,3", f"{repository}::a", str(self.source)]
        )


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(
    name: str, ours: Callable[[], None], theirs: Callable[[], None], runs: int
) -> None:
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(runs)]
    ratio = statistics.median(b / a for a, b in pairs)
    best = min(a for a, _ in pairs), min(b for _, b in pairs)
    print(f"{name:30} {best[0]:8.2f} s {best[1]:8.2f} s   ratio {ratio:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sesam-bench.") as where:
        source = Path(where) / "source"
        size = make_tree(source, options.files)
        print(f"{options.files} files, {size >> 20} MiB; best of theirs, best of ours")
        bench = Bench(Path(where), source)
        bench.ours()
        compare("FULL / tar | zstd", bench.ours, bench.tar, options.runs)
        compare("restore / zstd | tar", bench.restore, bench.untar, options.runs)
        for name, work in (("restic", bench.restic), ("borg", bench.borg)):
            if shutil.which(name):
                compare(f"FULL / {name}", bench.ours, work, options.runs)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        print(f"peak memory of any process: {peak} MiB")


if __name__ == "__main__":
    main()
