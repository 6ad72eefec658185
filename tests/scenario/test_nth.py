"""For n = 1, 2, 3 ... the nth durable step fails, or the command dies at it.

Until a run passes: then no step is left. After each the site is sound, every saveset it
knows comes back as it was, and the next command goes on.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Site
from killer import NOT_REACHED
from killing import KILLER
from trees import differences, small_tree, snapshot

_MOST = 120
Tree = dict[bytes, dict[str, Any]]


def nth_runs(
    site: Site, how: str, *words: object, every: int = 1
) -> Iterator[subprocess.CompletedProcess]:
    """Run a command again and again, each time `every` steps on, until it passes."""
    for number in range(every, _MOST, every):
        done = subprocess.run(
            [sys.executable, KILLER, how, "", str(number), *map(str, words)],
            env=site.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        reached = NOT_REACHED not in done.stderr
        if how in ("durable", "taped"):
            assert (done.returncode == -signal.SIGKILL) is reached, done.stderr
        else:
            assert "Traceback" not in done.stderr, done.stderr
        yield done
        if not reached:
            assert done.returncode == 0
            return
    raise AssertionError("the command never passes")


def is_sound(site: Site) -> None:
    known = set(repaired(site))
    assert known == {one.name for one in site.store().iterdir() if one.is_dir()}


def repaired(site: Site) -> list[str]:
    """Repair a site; then it is sound. Return the savesets that it knows."""
    site.sm("setup check", "--repair", code=None)
    rows = site.json("setup check")
    assert [row for row in rows if row["state"] != "ok"] == []
    return [row["saveset"] for row in site.json("backup list")]


def comes_back(site: Site, source: Path, target: Path) -> None:
    gives_back(site, ("--task", "tree"), source, snapshot(source), target)


def gives_back(
    site: Site, what: tuple[str, ...], source: Path, tree: Tree, target: Path
) -> None:
    site.sm("restore start", *what, "--target", target)
    back = snapshot(target / str(source).lstrip("/"))
    assert differences(tree, back) == []
    shutil.rmtree(target)


@pytest.fixture
def source(site: Site, tmp_path: Path) -> Path:
    made = small_tree(tmp_path / "source", files=5)
    site.backup(made)
    return made


@pytest.mark.parametrize("how", ["durable", "failing"])
def test_an_incr_survives_each_of_its_steps(
    site: Site, source: Path, tmp_path: Path, how: str
) -> None:
    words = ("backup", "start", "tree", "--level", "INCR")
    for number, _ in enumerate(nth_runs(site, how, *words)):
        is_sound(site)
        (source / "dir1/file1").write_bytes(b"%d" % number)
    site.sm("backup start", "tree")
    comes_back(site, source, tmp_path / "back")
    assert number > 10


@pytest.mark.parametrize("how", ["durable", "failing"])
def test_a_removal_survives_each_of_its_steps(
    site: Site, source: Path, tmp_path: Path, how: str
) -> None:
    site.sm("backup start", "tree")
    keep = site.json("backup start", "tree", "--level", "COPY")["saveset"]
    first = site.json("backup list")[0]["saveset"]
    words = ("backup", "remove", first, "--with-dependents", "--yes")
    number = 0
    for done in nth_runs(site, how, *words):
        number += 1
        is_sound(site)
        if done.returncode == 10:  # it was gone before the step was reached
            break
    assert [row["saveset"] for row in site.json("backup list")] == [keep]
    comes_back(site, source, tmp_path / "back")
    assert number > 1


def test_a_newday_survives_each_of_its_steps(site: Site, source: Path) -> None:
    number = 0
    for _ in nth_runs(site, "durable", "newday", "run"):
        number += 1
        is_sound(site)
    assert number > 3
    assert len(site.json("backup list")) == 1


def tape_files(site: Site, saveset: str) -> list[int]:
    """The tape files that hold the parts of a saveset, on the first medium."""
    parts = site.json("backup show", saveset)["parts"]
    return sorted(int(one["location"].removeprefix("LTO00001:")) for one in parts)


@pytest.mark.parametrize(
    "every", [3, pytest.param(1, marks=pytest.mark.campaign)], ids=["third", "each"]
)
@pytest.mark.parametrize("how", ["taped", "taped-failing"])
def test_a_full_onto_tape_survives_each_block_and_filemark(
    taped: Site, tmp_path: Path, how: str, every: int
) -> None:
    source, back = small_tree(tmp_path / "source", files=15), tmp_path / "back"
    good = [taped.backup(source, "tree", "--pool", "LTO")["saveset"]]
    first = snapshot(source)
    words = "backup start tree --level FULL"
    steps = 0
    for done in nth_runs(taped, how, *words.split(), every=every):
        steps += every
        known = repaired(taped)
        assert known[: len(good)] == good
        assert len(known) == len(good) + (done.returncode == 0)
        (source / "dir1/file1").write_bytes(b"%d" % steps)
        good = [*known, taped.json(words)["saveset"]]
        # Its header is the tape file behind the manifest of the last good one.
        before, new = (tape_files(taped, name) for name in good[-2:])
        assert new[0] == before[-1] + 2
        gives_back(taped, (good[0],), source, first, back)
        gives_back(taped, (good[-1],), source, snapshot(source), back)
    assert steps > 18
    assert {row["state"] for row in taped.json("backup verify", "--all")} == {"ok"}
