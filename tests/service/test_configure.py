"""What may stand beside what: stores, drives, groups, pools; commands that race."""

import subprocess
import time
from pathlib import Path

import pytest
from conftest import Site

TAPE = ("--device", "scsi:/dev/sg99")


def test_a_store_does_not_move_onto_another_one(site: Site, tmp_path: Path) -> None:
    site.sm("media store add", "two", "--path", tmp_path / "two")
    before = site.json("media store show", "two")
    site.sm("media store modify", "two", "--path", site.store(), code=32)
    linked = tmp_path / "linked"
    linked.symlink_to(site.store())
    site.sm("media store modify", "two", "--path", linked, code=32)
    assert site.json("media store show", "two") == before
    (tmp_path / "two").rename(tmp_path / "moved")
    site.sm("media store modify", "two", "--path", tmp_path / "moved")


def test_a_store_there_does_not_move_onto_another_one(
    site: Site, tmp_path: Path
) -> None:
    site.sm("client add", "far")
    site.sm("media group add", "FAR")
    for name in ("one", "two"):
        where = ("--path", tmp_path / name, "--group", "FAR", "--rds", "far")
        site.sm("media store add", name, *where)
    modify = ("media store modify", "two", "--path")
    site.sm(*modify, tmp_path / "one", code=32)
    site.sm(*modify, tmp_path / "none", code=34)
    (tmp_path / "two").rename(tmp_path / "moved")
    site.sm(*modify, tmp_path / "moved")


def test_a_drive_group_holds_stores_or_tape_drives_not_both(
    site: Site, tmp_path: Path
) -> None:
    for name in ("LTO", "DISK2"):
        site.sm("media group add", name)
    site.sm("media drive add", "lto1", *TAPE, "--group", "LTO")
    site.sm("media store add", "two", "--path", tmp_path / "two", "--group", "DISK2")
    other = ("--device", "scsi:/dev/sg98")
    store = ("--path", tmp_path / "three")
    for words in (
        ("drive add", "lto2", *other, "--group", "DISK"),
        ("drive modify", "lto1", "--group", "DISK2"),
        ("store add", "three", *store, "--group", "LTO"),
        ("store modify", "two", "--group", "LTO"),
    ):
        site.sm(f"media {words[0]}", *words[1:], code=11)
    assert not (tmp_path / "three").exists()
    site.sm("media drive add", "lto2", *other, "--group", "LTO")
    site.sm("media store modify", "two", "--group", "DISK")


@pytest.fixture
def on_postgres(tmp_path: Path, postgres: object) -> Site:
    url = postgres.database()  # type: ignore[attr-defined]
    site = Site(tmp_path / "site", {"SESAM_DATABASE_URL": url})
    site.sm("setup init", "--zone", "UTC")
    return site


def beside(site: Site, statement: str, *words: object) -> subprocess.CompletedProcess:
    """Run a command while another session holds an uncommitted change."""
    import psycopg

    with psycopg.connect(site.env["SESAM_DATABASE_URL"]) as other:
        other.execute(statement)
        running = site.popen(str(words[0]), *words[1:])
        watcher = psycopg.connect(site.env["SESAM_DATABASE_URL"], autocommit=True)
        with watcher:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type='Lock'"
            while not watcher.execute(waits).fetchone()[0]:
                assert running.poll() is None, running.communicate()
                time.sleep(0.02)
        other.commit()
    out, err = running.communicate(timeout=60)
    assert b"Traceback" not in err, err
    return subprocess.CompletedProcess([], running.returncode, out, err)


def test_two_commands_that_race_get_a_sentence(on_postgres: Site) -> None:
    site = on_postgres
    site.sm("client add", "web")
    added = "INSERT INTO client (name, ssh, program, note) VALUES ('zz', '', '', '')"
    done = beside(site, added, "client add", "zz")
    assert done.returncode == 11
    assert b"exists already" in done.stderr
    site.sm("task add", "t", "--source", "/etc", "--client", "web")
    moved = "UPDATE task SET client_id = (SELECT id FROM client WHERE name = 'zz')"
    site.sm("client add", "free")
    used = moved.replace("'zz'", "'free'")
    done = beside(site, used, "client remove", "free", "--yes")
    assert done.returncode == 12
    assert b"still needed by task" in done.stderr
