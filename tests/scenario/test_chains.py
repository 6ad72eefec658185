"""Chains: what has changed is saved, and any point in time comes back."""

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Site
from trees import differences, hostile_tree, small_tree, snapshot


def settle() -> None:
    """Let what was changed grow older than the time that marks a line."""
    time.sleep(0.12)


def start(site: Site, *options: object, name: str = "tree", code: int = 0) -> Any:
    settle()
    return site.json("backup start", name, *options, code=code)


def restored(site: Site, source: Path, target: Path, *options: object) -> list[str]:
    """Restore and return what differs from the source."""
    site.sm("restore start", *options, "--target", target)
    return differences(snapshot(source), snapshot(target / str(source).lstrip("/")))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "source")


@pytest.fixture
def full(site: Site, source: Path) -> str:
    """A site with a FULL of the tree."""
    settle()
    return site.backup(source)["saveset"]


def test_the_first_is_a_full_and_the_next_holds_what_has_changed(
    site: Site, source: Path, full: str
) -> None:
    same = start(site)
    assert (same["level"], same["base"], same["reason"]) == ("INCR", full, None)
    assert (same["changed"], same["deleted"], same["bytes"]) == (0, 0, 0)
    assert same["files"] == 36
    (source / "dir1/file1").write_bytes(b"new")
    (source / "dir2/more").write_bytes(b"more")
    (source / "dir3/file3").unlink()
    changed = start(site)
    assert changed["base"] == same["saveset"]
    # Two files, and the two directories whose entries are others now.
    assert (changed["changed"], changed["deleted"], changed["bytes"]) == (4, 1, 7)
    held = site.json("backup files", changed["saveset"])
    assert {one["path"].rpartition("/")[2] for one in held} == {
        "file1", "more", "dir2", "dir3",
    }  # fmt: skip
    merged = site.json("backup files", changed["saveset"], "--merged")
    assert len(merged) == changed["files"]
    by = {one["path"]: one["saveset"] for one in merged}
    assert by[f"{source}/dir1/file1"] == changed["saveset"]
    assert by[f"{source}/dir4/file4"] == full


def test_any_point_in_time_comes_back(site: Site, source: Path, tmp_path: Path) -> None:
    hostile_tree(source / "hostile")
    moments, states = [], []
    site.sm("task add", "tree", "--source", source)
    for step in range(6):
        if step:
            (source / "dir0" / f"new{step}").write_bytes(b"%d" % step)
            (source / f"dir{step % 5}" / f"file{step}").unlink()
            (source / "hostile/big").write_bytes(os.urandom(2000 * step))
        level = "DIFF" if step == 3 else "COPY" if step == 4 else "INCR"
        assert start(site, "--level", level)["state"] == "ok"
        states.append(snapshot(source))
        moments.append(datetime.now(UTC).isoformat())
    levels = [one["level"] for one in site.json("backup list")]
    assert levels == ["FULL", "INCR", "INCR", "DIFF", "COPY", "INCR"]
    # Whatever base each has, every moment is the whole tree as of then.
    for number, (moment, state) in enumerate(zip(moments, states, strict=True)):
        target = tmp_path / f"back{number}"
        site.sm("restore start", "--task", "tree", "--at", moment, "--target", target)
        back = snapshot(target / str(source).lstrip("/"))
        assert differences(state, back) == []


def test_chosen_paths_come_from_the_saveset_that_holds_them(
    site: Site, source: Path, full: str, tmp_path: Path
) -> None:
    (source / "dir1/file1").write_bytes(b"changed")
    second = start(site)["saveset"]
    done = site.json(
        "restore start", "--task", "tree", "--target", tmp_path / "back",
        "--path", source / "dir1", "--path", source / "dir2/file2",
    )  # fmt: skip
    assert done["savesets"] == [full, second]
    back = tmp_path / "back" / str(source).lstrip("/")
    assert (back / "dir1/file1").read_bytes() == b"changed"
    assert sorted(os.listdir(back)) == ["dir1", "dir2"]


def test_links_survive_a_directory_that_is_renamed_in_between(
    site: Site, source: Path, tmp_path: Path
) -> None:
    (source / "a").mkdir()
    for number in range(12):
        (source / f"a/{number}").write_bytes(b"linked %d" % number)
        os.link(source / f"a/{number}", source / f"other{number}")
    settle()
    site.backup(source)
    (source / "a").rename(source / "b")
    assert start(site)["level"] == "INCR"
    assert restored(site, source, tmp_path / "back", "--task", "tree") == []


def test_a_type_that_changes_comes_back_as_what_it_is_now(
    site: Site, source: Path, full: str, tmp_path: Path
) -> None:
    (source / "dir0/file0").unlink()
    (source / "dir0/file0").mkdir()
    (source / "dir0/file0/inner").write_bytes(b"in a directory now")
    shutil.rmtree(source / "dir1")
    (source / "dir1").symlink_to("dir2")
    shutil.rmtree(source / "dir3")
    (source / "dir3").write_bytes(b"a file now")
    start(site)
    assert restored(site, source, tmp_path / "back", "--task", "tree") == []


def test_another_definition_of_the_source_makes_a_full_and_says_why(
    site: Site, source: Path, full: str, tmp_path: Path
) -> None:
    site.sm("task modify", "tree", "--exclude", "file2?")
    less = start(site)
    assert (less["level"], less["deleted"]) == ("INCR", 10)
    (tmp_path / "second").mkdir()
    second = tmp_path / "second"
    site.sm("task modify", "tree", "--source", source, "--source", second)
    done = start(site)
    assert done["level"] == "FULL"
    assert "sources" in done["reason"]
    assert done["reason"] in site.sm("job log", done["job"]).out


def test_a_chain_is_as_long_as_the_task_allows(
    site: Site, source: Path, full: str
) -> None:
    site.sm("task modify", "tree", "--max-chain", 2)
    levels = [start(site)["level"] for _ in range(4)]
    assert levels == ["INCR", "INCR", "FULL", "INCR"]
    site.sm("task modify", "tree", "--max-chain", 0)
    assert start(site, "--level", "DIFF")["level"] == "FULL"


def test_a_full_grows_too_old(site: Site, source: Path, full: str) -> None:
    site.sm("task modify", "tree", "--full-every", 7)
    assert start(site)["level"] == "INCR"
    later = Site(site.root, {"SESAM_NOW": "2099-01-01T00:00:00Z"})
    done = start(later)
    assert done["level"] == "FULL"
    assert "days old" in done["reason"]


def test_the_listing_of_the_base_is_fetched_again_when_it_is_lost(
    site: Site, source: Path, full: str
) -> None:
    for one in (site.root / "var/lis").iterdir():
        one.unlink()
    assert start(site)["level"] == "INCR"
    assert (site.root / f"var/lis/{full}.listing.zst").exists()
    for one in (site.root / "var/lis").iterdir():
        one.write_bytes(one.read_bytes()[:-20])
    assert start(site)["level"] == "INCR"


def test_a_lost_listing_that_only_an_identity_opens_makes_a_full(
    site: Site, source: Path
) -> None:
    key = site.json("setup key add", "office")["recipient"]
    settle()
    site.backup(source, "tree", "--recipient", key)
    assert start(site)["level"] == "INCR"
    for one in (site.root / "var/lis").iterdir():
        one.unlink()
    done = start(site)
    assert done["level"] == "FULL"
    assert "encrypted" in done["reason"]


def test_a_base_that_is_gone_makes_a_full_and_breaks_its_chain(
    site: Site, source: Path, full: str, tmp_path: Path
) -> None:
    copy = start(site, "--level", "COPY")["saveset"]
    (source / "dir0/file0").write_bytes(b"later")
    last = start(site)["saveset"]
    shutil.rmtree(site.store() / full)
    done = site.sm(
        "restore start", "--task", "tree", "--target", tmp_path / "x", code=41
    )
    assert full in done.err
    assert "--best" in done.err
    site.sm("restore start", last, "--target", tmp_path / "x", code=41)
    best = site.json(
        "restore start", "--task", "tree", "--best", "--target", tmp_path / "best"
    )
    assert best["savesets"] == [copy]
    part = site.json(
        "restore start", last, "--partial", "--target", tmp_path / "part", code=3
    )
    assert (part["files"], part["state"]) == (1, "warning")
    done = start(site)
    assert done["level"] == "FULL"
    assert f"{full} is no longer in data store" in done["reason"]


def test_the_history_of_a_path_is_found(site: Site, source: Path, full: str) -> None:
    path = source / "dir1/file1"
    path.write_bytes(b"new")
    start(site)
    start(site)
    path.unlink()
    (source / "dir1/file1b").write_bytes(b"")
    start(site)
    start(site, "--level", "FULL")
    rows = site.json("backup find", "*/file1", "--task", "tree")
    assert [one["change"] for one in rows] == ["added", "changed", "same", "deleted"]
    assert {one["path"] for one in rows} == {str(path)}
    assert rows[1]["size"] == 3
    rows = site.json("backup find", f"{source}/dir?/file1[b]")
    assert [one["change"] for one in rows] == ["added", "same"]
    assert site.json("backup find", "file1") == []
    assert len(site.json("backup find", "*")) > 5 * 30
    site.sm("backup find", "", code=2)
    site.sm("backup find", "*", "--task", "nosuch", code=10)


def test_the_shell_replays_a_chain_without_us(
    site: Site, source: Path, tmp_path: Path
) -> None:
    odd = source / "odd"
    odd.mkdir()
    for name in (b"a\nb", b"tab\t", b"back\\slash", b"per%cent", b"\xff", b"-rf"):
        (odd / os.fsdecode(name)).write_bytes(name)
    os.link(source / "dir0/file0", source / "link")
    settle()
    names = [site.backup(source)["saveset"]]
    for one in odd.iterdir():
        one.unlink()
    shutil.rmtree(source / "dir1")
    (source / "dir1").write_bytes(b"a file now")
    (source / "dir2/file2").unlink()
    (source / "dir2/file2").mkdir()
    (source / "dir2/file2/x").write_bytes(b"x")
    names.append(start(site)["saveset"])
    (source / "dir3/file3").write_bytes(b"third")
    names.append(start(site)["saveset"])
    page = Path(__file__).parents[2] / "man/sesam-saveset.5"
    shown = page.read_text().split(".SS A chain\n")[1].split(".nf\n")[1]
    lines = shown.split(".fi\n")[0].replace("\\-", "-").replace("\\e", "\\")
    target = tmp_path / "target"
    target.mkdir()
    script = lines.replace("SAVESET...", " ".join(names)).replace("TARGET", str(target))
    subprocess.run(["bash", "-euc", script], cwd=site.store(), check=True)
    back = snapshot(target / str(source).lstrip("/"))
    want = snapshot(source)
    # tar has replaced a file in it, and it had not changed itself.
    del want[b"dir3"]["mtime"], back[b"dir3"]["mtime"]
    assert differences(want, back) == []


def test_from_the_shell_a_source_builds_on_a_listing(
    site: Site, source: Path, tmp_path: Path
) -> None:
    bin_ = Path(__file__).parents[2] / "bin"
    line = f"{bin_}/sm_sbc --source {source}"
    to = f"{bin_}/sm_sms --store {site.store()} --format json"
    settle()
    run = {"shell": True, "check": True, "capture_output": True, "text": True}
    subprocess.run(f"{line} | {to}", env=site.environment(), **run)  # type: ignore[call-overload]
    (first,) = (one.name for one in site.store().iterdir() if one.is_dir())
    (source / "dir0/file0").write_bytes(b"changed")
    settle()
    base = site.store() / first / "listing.zst"
    done = subprocess.run(f"{line} --base {base} | {to}", env=site.environment(), **run)  # type: ignore[call-overload]
    assert f'"base": "{first}"' in done.stdout
    assert '"level": "INCR"' in done.stdout
    (second,) = (o for o in site.store().iterdir() if o.name.startswith("SI"))
    listing = subprocess.run(
        ["zstd", "-dc", second / "listing.zst"], capture_output=True, check=True
    ).stdout
    assert listing.count(first.encode()) == 35
    stray = tmp_path / "listing.zst"
    shutil.copy(base, stray)
    failed = subprocess.run(
        f"{line} --base {stray} | cat",
        **{**run, "check": False},  # type: ignore[call-overload]
    )
    assert "does not bear its name" in failed.stderr
