"""What lies across the cut between two segments is read like anything else."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BIN, Site
from trees import differences, snapshot

from sesam.saveset.extents import Extents


def large_tree(top: Path) -> Path:
    """Files that cross one cut and several, and what follows them."""
    top.mkdir()
    rng = random.Random(3)
    (top / "big").write_bytes(rng.randbytes(3_500_000))
    os.link(top / "big", top / "big-too")
    (top / "last").write_bytes(b"behind the cuts")
    with open(top / "sparse", "wb") as file:
        for at in range(5):
            file.seek(at * 4_000_000)
            file.write(rng.randbytes(900_000))
        file.truncate(30_000_000)
    (top / "sparse-after").write_bytes(rng.randbytes(700_000))
    return top


@pytest.mark.parametrize("encrypted", [False, True])
def test_files_across_segments_come_back_and_verify(
    site: Site, tmp_path: Path, encrypted: bool
) -> None:
    source = large_tree(tmp_path / "source")
    more = ["--segment-size", "1M"]
    if encrypted:
        more += ["--recipient", site.json("setup key add", "office")["recipient"]]
    saveset = site.backup(source, "tree", *more)["saveset"]
    assert len(list((site.store() / saveset).glob("data-*"))) >= 8
    assert site.json("backup verify", saveset)[0]["errors"] == []
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []
    one = ("--target", tmp_path / "one", "--path", source / "sparse")
    site.sm("restore start", saveset, *one)
    alone = tmp_path / "one" / str(source / "sparse").lstrip("/")
    assert alone.read_bytes() == (source / "sparse").read_bytes()


def test_a_sparse_map_may_be_torn_by_a_cut(site: Site, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    # A map of more than 1 MiB of text: frames and segments end within it.
    with open(source / "sparse", "wb") as file:
        for at in range(60_000):
            os.pwrite(file.fileno(), b"x", 10_000_000_000 + at * 8192)
    saveset = site.backup(source, "tree", "--segment-size", "1M")["saveset"]
    assert site.json("backup verify", saveset)[0]["errors"] == []
    words = ("restore", "start", saveset, "--target", tmp_path / "back")
    assert peak_mib(site, *words) < 70
    back = tmp_path / "back" / str(source).lstrip("/") / "sparse"
    before, after = os.stat(source / "sparse"), os.stat(back)
    assert before.st_size == after.st_size
    assert abs(before.st_blocks - after.st_blocks) < before.st_blocks / 100
    with open(back, "rb") as file:
        for at in range(0, 60_000, 7):
            assert os.pread(file.fileno(), 2, 10_000_000_000 + at * 8192) == b"x\0"


def test_extents_come_back_in_order_however_many_there_are() -> None:
    extents = Extents(in_memory=100)
    for number in range(5_250):
        extents.append(number * 10, number)
    for _ in range(2):
        assert list(extents) == [(number * 10, number) for number in range(5_250)]
    assert len(extents) == 5_250
    with pytest.raises(OverflowError):
        extents.append(1 << 63, 1)


def test_memory_stays_flat_in_deep_trees(site: Site, tmp_path: Path) -> None:
    top = os.fsencode(tmp_path / "source")
    os.mkdir(top)
    fd = os.open(top, os.O_RDONLY)
    for _ in range(600):
        name = b"d" * 250
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    site.backup(top)
    words = ["restore", "start", "--task", "tree", "--target", tmp_path / "back"]
    assert peak_mib(site, *words) < 90


def peak_mib(site: Site, program: str, *words: object) -> int:
    """Run a command; return the most memory that it had."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, BIN / f"sm_{program}", *map(str, words)],
        env=site.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    return int(done.stdout.splitlines()[-1]) >> 10


_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
