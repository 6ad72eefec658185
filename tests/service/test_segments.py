"""What lies across the cut between two segments is read like anything else."""

import os
import random
from pathlib import Path

import pytest
from conftest import Site
from trees import differences, snapshot


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
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/") / "sparse"
    before, after = os.stat(source / "sparse"), os.stat(back)
    assert before.st_size == after.st_size
    assert abs(before.st_blocks - after.st_blocks) < before.st_blocks / 100
    for at in range(0, 60_000, 7):
        with open(back, "rb") as file:
            assert os.pread(file.fileno(), 2, 10_000_000_000 + at * 8192) == b"x\0"
