"""A restore that was stopped goes on, and what it cannot read is left out alone."""

import os
import random
import shutil
import signal
import struct
import time
from pathlib import Path

import pytest
from conftest import Site
from trees import differences, hostile_tree, snapshot


def plain_tree(top: Path, files: int = 60, size: int = 1 << 19) -> Path:
    rng = random.Random(4)
    for number in range(files):
        path = top / f"dir{number % 3}" / f"file{number:03d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(size))
    for number, one in enumerate([*top.iterdir(), top]):
        one.chmod(0o750 + number % 2)
        os.utime(one, (1000 + number, 1000 + number))
    return top


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_restore_that_was_stopped_finishes_its_directories_the_next_time(
    site: Site, tmp_path: Path, name: str
) -> None:
    source = plain_tree(tmp_path / "source")
    saveset = site.backup(source)["saveset"]
    words = (saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    running = site.popen("restore start", *words)
    while not (back / "dir0/file006").exists():
        assert running.poll() is None
        time.sleep(0.001)
    running.send_signal(getattr(signal, name))
    running.communicate(timeout=30)
    assert running.returncode != 0
    site.sm("restore start", *words)
    assert differences(snapshot(source), snapshot(back)) == []


def test_a_segment_that_is_gone_hits_its_own_files_alone(
    site: Site, tmp_path: Path
) -> None:
    source = plain_tree(tmp_path / "source", files=12, size=1 << 20)
    saveset = site.backup(source, "tree", "--segment-size", "3M")["saveset"]
    (site.store() / saveset / "data-0002.tar.zst").unlink()
    words = (saveset, "--target", tmp_path / "back")
    site.sm("restore start", *words, code=41)
    result = site.json("restore start", *words, "--partial", code=3)
    found = list((tmp_path / "back").rglob("file*"))
    # Its directories' own headers can be lost as well.
    assert 12 - len(found) <= result["warnings"] <= 15 - len(found)
    assert 7 <= len(found) <= 10
    errors = site.sm("backup verify", saveset, "--format", "json", code=40).json
    hit = [one for one in errors[0]["errors"] if one.startswith("hit:")]
    assert len(hit) == result["warnings"]


@pytest.mark.parametrize("part", ["data-0001.tar.zst", "listing.zst"])
def test_a_damaged_seek_table_costs_no_file(
    site: Site, tmp_path: Path, part: str
) -> None:
    source = plain_tree(tmp_path / "source", files=9)
    saveset = site.backup(source)["saveset"]
    path = site.store() / saveset / part
    whole = path.read_bytes()
    (count,) = struct.unpack("<I", whole[-9:-5])
    places = {
        "magic": len(whole) - 1,
        "count": len(whole) - 9,
        "stored": len(whole) - 9 - 8 * count,
        "plain": len(whole) - 9 - 8 * count + 6,
    }
    for name, at in places.items():
        damaged = bytearray(whole)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        (site.root / f"var/lis/{saveset}.listing.zst").unlink(missing_ok=True)
        site.sm("backup verify", saveset, code=40)
        target = tmp_path / name
        site.sm("restore start", saveset, "--target", target, code=None)
        back = target / str(source).lstrip("/")
        assert differences(snapshot(source), snapshot(back)) == [], name


def test_a_seek_table_that_lies_gives_no_directory_the_rights_of_another(
    site: Site, tmp_path: Path
) -> None:
    """The size of the second frame is wrong, and nobody reads that one."""
    source = plain_tree(tmp_path / "source", files=9)
    for name, mode in (("zz1", 0o700), ("zz2", 0o711), ("zz3", 0o755)):
        (source / name).mkdir(mode)
    saveset = site.backup(source)["saveset"]
    path = site.store() / saveset / "data-0001.tar.zst"
    whole = bytearray(path.read_bytes())
    (count,) = struct.unpack("<I", whole[-9:-5])
    at = len(whole) - 9 - 8 * count + 12
    (plain,) = struct.unpack_from("<I", whole, at)
    for shift in (512, 1024, 1536):
        struct.pack_into("<I", whole, at, plain - shift)
        path.write_bytes(whole)
        target = tmp_path / f"by-{shift}"
        words = (saveset, "--target", target, "--path", source / "zz2")
        site.sm("restore start", *words, code=None)
        back = target / str(source).lstrip("/") / "zz2"
        assert not back.exists() or back.stat().st_mode & 0o777 == 0o711


@pytest.mark.parametrize("existing", ["keep", "overwrite", "older", "rename"])
def test_a_dry_run_says_what_the_restore_then_does(
    site: Site, tmp_path: Path, existing: str
) -> None:
    source = hostile_tree(tmp_path / "source")
    site.backup(source)
    target = tmp_path / "back"
    words = ("--task", "tree", "--target", target, "--existing", existing)
    dry = site.json("restore start", *words, "--dry-run")
    assert not target.exists()
    for _ in range(2):
        done = site.json("restore start", *words, code=None)
        for key in ("files", "bytes", "skipped"):
            assert dry[key] == done[key], (key, dry, done)
        back = target / str(source).lstrip("/")
        (back / "suid").write_text("changed")
        os.setxattr(back / "acl", "user.more", b"1")
        (back / "sparse-tail").unlink(missing_ok=True)
        if (back / "links").is_dir():
            shutil.rmtree(back / "links")
        (back / "links").write_text("no directory")
        os.utime(back / "links", (9, 9))
        before = snapshot(target)
        dry = site.json("restore start", *words, "--dry-run")
        assert differences(before, snapshot(target)) == []
