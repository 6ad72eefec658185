"""What a killed process, a full disk, a lost mount or a held catalog leave behind."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Site
from killing import Step, killed_at
from trees import differences, hostile_tree, small_tree, snapshot

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


def random_files(top: Path, mib: int) -> Path:
    top.mkdir(parents=True, exist_ok=True)
    rng = random.Random(11)
    for number in range(mib):
        (top / f"file{number:03d}").write_bytes(rng.randbytes(1 << 20))
    return top


def is_sound(site: Site) -> None:
    """Nothing is half there: each saveset is whole, each file of the store known."""
    site.sm("setup check", "--repair")
    listed = site.json("backup list")
    names = {row["saveset"] for row in listed}
    assert set(os.listdir(site.store())) == {".sesam-store", *names}
    if listed:
        assert {row["state"] for row in site.json("backup verify", "--all")} == {"ok"}
    assert all(row["state"] != "active" for row in site.json("job list"))


def test_a_backup_killed_at_any_time_leaves_what_the_next_command_repairs(
    site: Site, tmp_path: Path
) -> None:
    source = random_files(tmp_path / "source", 40)
    site.sm("task add", "tree", "--source", source)
    rng = random.Random()
    for _ in range(6):
        running = site.popen("backup start", "tree")
        time.sleep(0.25 + rng.random() * 0.6)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        is_sound(site)
    before = len(site.json("backup list"))
    assert site.backup(source)["state"] == "ok"
    assert len(site.json("backup list")) == before + 1
    is_sound(site)


# What a backup does at last before it is killed.
BACKUP_STEPS = [
    ("rename", "data-0001", 1),
    ("rename", "listing.zst", 1),
    ("rename", "manifest.json", 1),
    ("fsync", "", 1),
    ("fsync", "", 2),
    ("fsync", "", 3),
    ("fsync", "", 5),
    ("mkdir", "store/S", 1),
    ("rename", "var/lis", 1),
]


@pytest.mark.parametrize("step", BACKUP_STEPS)
def test_a_backup_killed_at_a_durable_step_is_settled(
    site: Site, tmp_path: Path, step: Step
) -> None:
    source = small_tree(tmp_path / "source")
    site.sm("task add", "tree", "--source", source)
    killed_at(site, step, "backup start", "tree")
    is_sound(site)
    assert site.backup(source)["state"] == "ok"
    is_sound(site)


# What a restore does at last: with its temporary names, links, directories, times.
RESTORE_STEPS = [
    ("mkdir", "", 1),
    ("mkdir", "", 3),
    ("link", ".sesam-part-", 1),
    ("rename", ".sesam-part-", 1),
    ("rename", ".sesam-part-", 4),
    ("remove", ".sesam-part-", 3),
    ("setxattr", "", 1),
    ("chmod", "", 2),
    ("utime", "", 1),
    ("utime", "", 6),
    ("utime", "", 7),
    ("utime", "", 8),
    ("symlink", "", 1),
]


@pytest.mark.parametrize("step", RESTORE_STEPS)
def test_a_restore_killed_at_a_step_goes_on(
    site: Site, tmp_path: Path, step: Step
) -> None:
    source = hostile_tree(tmp_path / "source")
    site.backup(source)
    back = tmp_path / "back"
    words = ("--task", "tree", "--target", back)
    killed_at(site, step, "restore start", *words)
    site.sm("setup check", "--repair")
    assert all(row["state"] != "active" for row in site.json("job list"))
    site.sm("restore start", *words)
    assert differences(snapshot(source), snapshot(back / str(source).lstrip("/"))) == []


def test_a_restore_killed_half_way_goes_on_and_rewrites_nothing(
    site: Site, tmp_path: Path
) -> None:
    source = random_files(tmp_path / "source", 60)
    site.backup(source)
    target = tmp_path / "back"
    back = target / str(source).lstrip("/")
    running = site.popen("restore start", "--task", "tree", "--target", target)
    while not back.exists() or len(os.listdir(back)) < 10:
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.communicate()
    there = {one.name: one.stat().st_ino for one in back.iterdir()}
    finished = {name for name in there if not name.startswith(".sesam-part-")}
    assert 5 < len(finished) < 60
    result = site.json("restore start", "--task", "tree", "--target", target)
    assert result["skipped"] >= len(finished)
    assert result["files"] + result["skipped"] == len(snapshot(source))
    after = {one.name: one.stat().st_ino for one in back.iterdir()}
    assert {name: after[name] for name in finished} == {
        name: there[name] for name in finished
    }
    assert sorted(after) == sorted(os.listdir(source))
    for name in after:
        assert (back / name).read_bytes() == (source / name).read_bytes()


def test_a_stopped_backup_closes_in_good_order_and_counts_as_cancelled(
    site: Site, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(30000):
        (source / f"file{number:05d}").write_bytes(b"%d" % number)
    site.sm("task add", "tree", "--source", source)
    running = site.popen("backup start", "tree")
    while not list(site.store().glob("S*")):
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM
    (row,) = site.json("backup list")
    assert row["state"] == "cancelled"
    assert row["files"] < 30001
    is_sound(site)
    site.sm("restore start", "--task", "tree", "--target", tmp_path / "x", code=10)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", where], check=True
    )
    yield where
    subprocess.run(["umount", "-l", where], check=True)


@needs_root
def test_a_full_disk_ends_the_backup_and_keeps_nothing_of_it(
    tmp_path: Path, small_disk: Path
) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", "--store", small_disk / "store")
    source = random_files(tmp_path / "source", 12)
    site.sm("task add", "tree", "--source", source)
    done = site.sm("backup start", "tree", "--format", "json", code=33)
    assert '"default" is full' in done.error["message"]
    assert os.listdir(small_disk / "store") == [".sesam-store"]
    assert site.json("backup list") == []
    for number in range(4, 12):
        (source / f"file{number:03d}").unlink()
    assert site.backup(source)["state"] == "ok"


@needs_root
def test_a_saveset_goes_on_in_the_next_store_of_the_pool(
    tmp_path: Path, small_disk: Path
) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", "--store", small_disk / "store")
    more = tmp_path / "more"
    site.sm("media store add", "more", "--path", more)
    source = random_files(tmp_path / "source", 12)
    result = site.backup(source)
    assert result["media"] == ["default", "more"]
    parts = site.json("backup show", result["saveset"])["parts"]
    data = next(part for part in parts if part["name"] == "data-0001.tar.zst")
    pieces = [Path(piece["location"]) for piece in data["pieces"]]
    assert len(pieces) == 2
    plain = subprocess.run(
        ["sh", "-c", f"cat {pieces[0]} {pieces[1]} | zstd -dc | tar t"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert len(plain.splitlines()) == result["files"]
    assert site.json("backup verify", "--all")[0]["state"] == "ok"
    site.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_a_store_of_several_that_is_away_is_passed_over_and_named(
    site: Site, tmp_path: Path
) -> None:
    site.sm("media store add", "more", "--path", tmp_path / "more")
    site.store().rename(tmp_path / "away")
    site.store().mkdir()
    result = site.backup(small_tree(tmp_path / "source"))
    assert (result["state"], result["media"]) == ("ok", ["more"])
    log = site.sm("job log", result["job"]).out
    assert f'note: passed over: data store "default": "{site.store()}" bears no' in log


def test_a_limit_on_file_sizes_is_a_full_disk_too(site: Site, tmp_path: Path) -> None:
    source = random_files(tmp_path / "source", 12)
    site.sm("task add", "tree", "--source", source)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, 6 << 20))

    done = site.sm(
        "backup start", "tree", "--format", "json", code=33, preexec_fn=limited
    )
    assert "full" in done.error["message"]
    is_sound(site)


@needs_root
def test_a_store_that_is_not_mounted_is_refused(
    tmp_path: Path, small_disk: Path
) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", "--store", small_disk)
    source = small_tree(tmp_path / "source", files=3)
    saveset = site.backup(source)["saveset"]
    subprocess.run(["umount", small_disk], check=True)
    done = site.sm("backup start", "tree", "--format", "json", code=34)
    assert "marker" in done.error["message"]
    assert "mount" in done.error["hint"]
    assert os.listdir(small_disk) == []
    site.sm("restore start", saveset, "--target", tmp_path / "x", code=34)
    rows = site.json("setup check", code=3)
    assert [row["state"] for row in rows if row["check"] == "stores"] == ["error"]
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", small_disk], check=True)


@needs_root
def test_a_read_only_store_is_named(tmp_path: Path, small_disk: Path) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", "--store", small_disk / "store")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    source = small_tree(tmp_path / "source", files=3)
    site.sm("task add", "tree", "--source", source)
    done = site.sm("backup start", "tree", "--format", "json", code=35)
    assert '"default"' in done.error["message"]
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert site.backup(source)["state"] == "ok"


def test_a_catalog_that_another_process_holds_is_waited_for_then_75(
    site: Site, tmp_path: Path
) -> None:
    path = site.root / "var/db/sesam.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waits = Site(site.root, {"SESAM_DATABASE_URL": f"sqlite:///{path}?timeout=1"})
    began = time.monotonic()
    done = waits.sm("client add", "x", code=75)
    assert time.monotonic() - began >= 1
    assert "catalog" in done.err
    holder.execute("ROLLBACK")
    holder.close()
    waits.sm("client add", "x")


def test_the_same_task_is_not_backed_up_twice_at_once(
    site: Site, tmp_path: Path
) -> None:
    source = random_files(tmp_path / "source", 80)
    site.sm("task add", "tree", "--source", source)
    running = site.popen("backup start", "tree")
    while not list(site.store().glob("S*/data*")):
        assert running.poll() is None
    running.send_signal(signal.SIGSTOP)
    done = site.sm("backup start", "tree", "--format", "json", code=75)
    assert "under way" in done.error["message"]
    running.send_signal(signal.SIGCONT)
    running.communicate()
    assert running.returncode == 0
    is_sound(site)
