"""What a killed backup has left behind, and what becomes of it."""

import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Site
from killing import killed_at
from trees import differences, small_tree, snapshot

from sesam.catalog import savesets
from sesam.digest import hexdigest
from sesam.terms import CopyState


@pytest.fixture
def source(tmp_path: Path) -> Path:
    top = small_tree(tmp_path / "source")
    for number in range(6):
        (top / f"large{number}").write_bytes(os.urandom(900_000))
    return top


@pytest.fixture
def left(site: Site, source: Path) -> Path:
    """A saveset that is durable, its manifest too, of a backup killed before commit."""
    site.sm("task add", "tree", "--source", source, "--segment-size", "1M")
    killed_at(site, ("rename", "manifest.json", 1), "backup start", "tree")
    (saveset,) = site.store().glob("S*")
    (saveset / "manifest.json.part").rename(saveset / "manifest.json")
    return saveset


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def problems(site: Site, code: int) -> list[str]:
    rows = site.json("setup check", "--repair", code=code)
    repaired = [row for row in rows if row["check"] == "repair"]
    return [row["message"] for row in repaired if row["state"] != "ok"]


def test_a_saveset_that_is_whole_is_committed(
    site: Site, left: Path, source: Path, tmp_path: Path
) -> None:
    assert problems(site, 0) == []
    assert site.json("backup verify", "--all")[0]["state"] == "ok"
    site.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_a_saveset_with_a_damaged_part_is_kept_as_damaged(
    site: Site, left: Path, source: Path, inside: Any
) -> None:
    flip(left / "data-0002.tar.zst", 1000)
    (problem,) = problems(site, 3)
    assert "kept as damaged" in problem
    assert "data-0002.tar.zst" in problem
    assert (left / "manifest.json").exists()
    (row,) = site.json("backup list")
    assert row["saveset"] == left.name
    (copy,) = savesets.get_saveset(left.name).copies
    assert copy.state is CopyState.DAMAGED
    assert site.json("backup verify", "--all", code=40)[0]["state"] == "damaged"
    # Nothing is built on it.
    assert site.backup(source)["level"] == "FULL"


def test_a_saveset_that_lacks_a_part_is_kept_as_damaged(site: Site, left: Path) -> None:
    (left / "data-0001.tar.zst").unlink()
    assert "data-0001.tar.zst" in problems(site, 3)[0]
    assert (left / "data-0002.tar.zst").exists()
    assert len(site.json("backup list")) == 1


def test_without_a_right_manifest_nothing_is_kept(site: Site, left: Path) -> None:
    flip(left / "manifest.json", 100)
    assert problems(site, 0) == []
    assert not left.exists()
    assert site.json("backup list") == []


def test_a_manifest_of_a_later_release_stays_with_all_it_names(
    site: Site, left: Path, source: Path
) -> None:
    path = left / "manifest.json"
    before = path.read_bytes()
    text = b"".join(before.splitlines(keepends=True)[:-1])
    text = text.replace(b'"format": 1,', b'"format": 99,')
    path.write_bytes(text + hexdigest(text).encode() + b"\n")
    assert "format 99" in problems(site, 3)[0]
    assert site.backup(source)["state"] == "ok"
    assert path.exists()
    assert len(list(left.glob("data-*"))) > 2
    path.write_bytes(before)
    assert problems(site, 0) == []
    assert len(site.json("backup list")) == 2


def test_commands_that_settle_at_once_commit_once(site: Site, left: Path) -> None:
    running = [site.popen("setup check", "--repair") for _ in range(5)]
    for one in running:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, (out, err)
    assert [row["saveset"] for row in site.json("backup list")] == [left.name]
    assert site.json("backup verify", "--all")[0]["state"] == "ok"
