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

import pytest
from conftest import Site
from killer import NOT_REACHED
from killing import KILLER
from trees import differences, small_tree, snapshot

_MOST = 120


def nth_runs(
    site: Site, how: str, *words: object
) -> Iterator[subprocess.CompletedProcess]:
    """Run a command again and again, each time one step further, until it passes."""
    for number in range(1, _MOST):
        done = subprocess.run(
            [sys.executable, KILLER, how, "", str(number), *map(str, words)],
            env=site.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        reached = NOT_REACHED not in done.stderr
        if how == "durable":
            assert (done.returncode == -signal.SIGKILL) is reached, done.stderr
        else:
            assert "Traceback" not in done.stderr, done.stderr
        yield done
        if not reached:
            assert done.returncode == 0
            return
    raise AssertionError("the command never passes")


def is_sound(site: Site) -> None:
    site.sm("setup check", "--repair", code=None)
    rows = site.json("setup check")
    assert [row for row in rows if row["state"] != "ok"] == []
    known = {row["saveset"] for row in site.json("backup list")}
    assert known == {one.name for one in site.store().iterdir() if one.is_dir()}


def comes_back(site: Site, source: Path, target: Path) -> None:
    site.sm("restore start", "--task", "tree", "--target", target)
    back = snapshot(target / str(source).lstrip("/"))
    assert differences(snapshot(source), back) == []
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
