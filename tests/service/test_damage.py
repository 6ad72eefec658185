"""Verify finds every flipped bit and every truncation, and says which files are hit."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Site

from sesam.service.verify import verify_saveset


@pytest.fixture
def saveset(site: Site, tmp_path: Path) -> str:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("one", "two"):
        (source / name).write_bytes(name.encode() * 40)
    os.link(source / "one", source / "three")
    return str(site.backup(source)["saveset"])


def state(inside: Any, saveset: str) -> str:
    row = verify_saveset(inside, saveset, (), lambda: "", lambda files, size: None)
    assert bool(row["errors"]) == (row["state"] != "ok")
    return str(row["state"])


def parts(site: Site, saveset: str) -> Iterator[Path]:
    yield from sorted((site.store() / saveset).iterdir())


def test_every_flipped_bit_is_found(site: Site, inside: Any, saveset: str) -> None:
    flipped = 0
    for path in parts(site, saveset):
        whole = path.read_bytes()
        for at in range(len(whole)):
            # Each byte, and over all bytes each bit many times.
            damaged = bytearray(whole)
            damaged[at] ^= 1 << at % 8
            path.write_bytes(damaged)
            assert state(inside, saveset) == "damaged", (path, at)
            flipped += 1
        path.write_bytes(whole)
        assert state(inside, saveset) == "ok"
    assert flipped > 1000


def test_every_truncation_is_found(site: Site, inside: Any, saveset: str) -> None:
    for path in parts(site, saveset):
        whole = path.read_bytes()
        for length in range(0, len(whole), 3):
            path.write_bytes(whole[:length])
            assert state(inside, saveset) == "damaged", (path, length)
        path.write_bytes(whole + b"\0")
        assert state(inside, saveset) == "damaged"
        path.unlink()
        assert state(inside, saveset) == "damaged"
        path.write_bytes(whole)
    assert state(inside, saveset) == "ok"


def test_the_files_that_are_hit_are_named(site: Site, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("first", "second", "third"):
        (source / name).write_bytes(os.urandom(1_500_000))
    saveset = site.backup(source)["saveset"]
    path = site.store() / saveset / "data-0001.tar.zst"
    raw = bytearray(path.read_bytes())
    raw[2_200_000] ^= 4
    path.write_bytes(raw)
    done = site.sm("backup verify", saveset, "--format", "json", code=40)
    (row,) = done.json
    hit = [one for one in row["errors"] if one.startswith("hit:")]
    assert len(hit) == 1
    assert str(source / "second") in hit[0]
    shown = site.json("restore start", saveset, "--target", tmp_path / "back", code=3)
    assert shown["warnings"] == 1
    back = tmp_path / "back" / str(source).lstrip("/")
    assert sorted(os.listdir(back)) == ["first", "third"]


def test_damage_that_is_gone_is_not_remembered(site: Site, saveset: str) -> None:
    path = site.store() / saveset / "listing.zst"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    site.sm("backup verify", saveset, code=40)
    assert site.json("backup list")[0]["saveset"] == saveset
    path.write_bytes(whole)
    site.sm("backup verify", saveset)


def test_a_saveset_of_another_task_under_its_name_is_found(
    site: Site, saveset: str, tmp_path: Path
) -> None:
    other = site.backup(tmp_path / "source", "other")["saveset"]
    for name in ("data-0001.tar.zst", "listing.zst", "manifest.json"):
        there = site.store() / other / name
        (site.store() / saveset / name).write_bytes(there.read_bytes())
    assert site.sm("backup verify", saveset, "--format", "json", code=40)
