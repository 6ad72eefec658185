"""Output, errors and exit codes, through real processes."""

import csv
import io
import json
import os
import random
import stat
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, Site
from killing import killed_at


def test_a_json_error_is_the_last_line_of_stderr(site: Site) -> None:
    done = site.sm("task show", "none", "--format", "json", code=10)
    assert done.out == ""
    assert done.error == {
        "error": "NotFound",
        "message": 'no task "none"',
        "hint": "",
        "exit_code": 10,
    }
    by_env = Site(site.root, {"SESAM_FORMAT": "jsonl"})
    assert by_env.sm("task show", "none", code=10).error["exit_code"] == 10


def test_people_get_a_sentence_and_a_hint(site: Site) -> None:
    site.sm("task add", "letters", "--source", "/etc")
    done = site.sm("task show", "leters", code=10)
    assert done.err == 'error: no task "leters"\nhint: there is letters\n'


@pytest.mark.parametrize(
    "words",
    [
        ("backup start", "--level", "X", "t"),
        ("backup list", "--day", "yesterday"),
        ("nonsense",),
        ("task add",),
        ("media store add", "x", "--path", "/x", "--capacity", "much"),
        ("restore start", "--task", "x"),
        ("task add", "x", "--source", "/x", "--zstd-level", "99"),
        ("task add", "x", "--source", "/x", "--exclude", "re:("),
        ("task add", "x", "--source", "/x", "--recipient", "age1x"),
        ("media pool add", "P12345", "--group", "DISK"),
        ("media drive add", "d", "--device", "tape0", "--group", "DISK"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_with_a_sentence_and_nothing_changed(
    site: Site, words: tuple[str, ...]
) -> None:
    program = words[0] if " " in words[0] else f"backup {words[0]}"
    before = (
        (site.root / "var/db/sesam.db-wal").stat().st_size
        if (site.root / "var/db/sesam.db-wal").exists()
        else 0
    )
    done = site.sm(program, *words[1:], "--format", "json", code=2)
    assert done.error["exit_code"] == 2
    assert len(done.error["message"]) > 10
    after = site.root / "var/db/sesam.db-wal"
    assert (after.stat().st_size if after.exists() else 0) == before


def test_the_four_forms_say_the_same(site: Site) -> None:
    site.sm("client add", "web", "--ssh", "root@web", "--note", "a, b")
    rows = site.json("client list")
    lines = site.sm("client list", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = list(
        csv.DictReader(io.StringIO(site.sm("client list", "--format", "csv").out))
    )
    assert [{k: v or "" for k, v in row.items()} for row in table] == rows
    text = site.sm("client list").out
    assert all(row["name"] in text for row in rows)
    assert "\x1b" not in text


def test_an_empty_listing_is_an_array_too(site: Site) -> None:
    assert site.json("backup list") == []
    assert site.sm("backup list", "--format", "jsonl").out == ""


def test_times_are_in_the_sites_zone_with_an_offset(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "Asia/Kolkata")
    source = tmp_path / "s"
    source.mkdir()
    os.utime(source, ns=(1_123456789, 1_123456789))
    saveset = site.backup(source)["saveset"]
    row = site.json("backup list")[0]
    assert row["started_at"].endswith("+05:30")
    (file,) = site.json("backup files", saveset)
    assert file["mtime"] == "1970-01-01T05:30:01.123456789+05:30"


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_site_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", umask=umask)
    source = tmp_path / "s"
    source.mkdir()
    (source / "f").write_text("x")
    site.sm("setup key add", "office", umask=umask)
    site.sm("task add", "t", "--source", source, umask=umask)
    site.sm("backup start", "t", umask=umask)
    seen = 0
    for path in [site.root, *site.root.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
        seen += 1
    assert seen > 12


def test_init_is_refused_where_a_site_is_and_finishes_a_half_made_one(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "site")
    for directory in ("", "var", "var/db"):
        (site.root / directory).mkdir()
    made = site.json("setup init", "--zone", "UTC")
    assert made["pool"] == "DISK"
    assert set(made) == {"root", "zone", "catalog", "client", "pool"}
    assert site.sm("setup init", "--format", "json", code=11).error["hint"]


def test_an_init_killed_at_any_time_is_finished_by_the_next(tmp_path: Path) -> None:
    rng = random.Random()
    for number in range(5):
        site = Site(tmp_path / f"site{number}")
        running = site.popen("setup init", "--zone", "UTC")
        time.sleep(0.15 + rng.random() * 0.35)
        running.kill()
        running.communicate()
        again(site)


@pytest.mark.parametrize(
    ("call", "path", "times"),
    [
        ("mkdir", "site/var", 1),
        ("mkdir", "site/store", 1),
        ("rename", ".sesam-store", 1),
        ("fsync", "", 1),
        ("fsync", "", 2),
    ],
)
def test_an_init_killed_at_a_step_is_finished_by_the_next(
    tmp_path: Path, call: str, path: str, times: int
) -> None:
    site = Site(tmp_path / "site")
    killed_at(site, (call, path, times), "setup init", "--zone", "UTC")
    again(site)


def again(site: Site) -> None:
    done = site.sm("setup init", "--zone", "UTC", code=None)
    assert done.code == 0 or "is a site" in done.err, done
    site.sm("setup check")


def test_without_a_site_each_command_says_how_to_make_one(tmp_path: Path) -> None:
    site = Site(tmp_path / "none")
    for words in ("backup list", "task list", "setup check", "job list"):
        done = site.sm(words, "--format", "json", code=21)
        assert "sm_setup init" in done.error["hint"]


def test_a_dry_run_removes_nothing(site: Site) -> None:
    site.sm("client add", "x")
    assert "would be removed" in site.sm("client remove", "x", "--dry-run").err
    site.sm("client show", "x")
    site.sm("client remove", "x", "--yes")
    site.sm("client show", "x", code=10)
    site.sm("client remove", "x", "--dry-run", code=10)


def test_modify_changes_what_is_given_alone(site: Site) -> None:
    site.sm("task add", "t", "--source", "/a", "--exclude", "*.o", "--note", "n")
    site.sm("task modify", "t", "--source", "/b", "--one-file-system")
    row = site.json("task show", "t")
    assert (row["sources"], row["excludes"], row["note"]) == (["/b"], ["*.o"], "n")
    assert row["one_file_system"] is True
    site.sm("task modify", "t", "--no-exclude")
    assert site.json("task show", "t")["excludes"] == []


def test_excludes_come_from_a_file_too(site: Site, tmp_path: Path) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text("# old\n*.bak\n\nre:^/x\n")
    site.sm(
        "task add",
        "t",
        "--source",
        "/a",
        "--exclude",
        "*.o",
        "--exclude-from",
        patterns,
    )
    assert site.json("task show", "t")["excludes"] == ["*.o", "*.bak", "re:^/x"]


def test_a_group_starts_all_its_tasks(site: Site, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        site.sm("task add", name, "--source", tmp_path / name)
    site.sm("task group add", "both", "--task", "one", "--task", "two")
    done = site.json("backup start", "--group", "both")
    assert [one["task"] for one in done] == ["one", "two"]
    assert len(site.json("backup list")) == 2


def test_a_detached_backup_is_there_after_a_while(site: Site, tmp_path: Path) -> None:
    import time

    (tmp_path / "s").mkdir()
    site.sm("task add", "t", "--source", tmp_path / "s")
    site.sm("backup start", "t", "--detach")
    for _ in range(100):
        if site.json("backup list"):
            return
        time.sleep(0.1)
    pytest.fail("the detached backup never ended")


def test_a_reader_that_has_seen_enough_is_no_error(site: Site) -> None:
    line = f"{BIN}/sm_client list --format jsonl | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], env=site.environment(), capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_rehearsal_says_so_and_moves_the_times(site: Site, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    later = Site(site.root, {"SESAM_NOW": "2031-05-06T07:08:09+00:00"})
    later.sm("task add", "t", "--source", tmp_path / "s")
    done = later.sm("backup start", "t", "--format", "json")
    assert "rehearsal" in done.err
    assert done.json["backup_day"] == "2031-05-05"
    assert done.json["saveset"].startswith("SF20310506")
    assert later.json("backup list")[0]["eol"] == "2031-06-05"


def test_the_log_of_a_job_has_its_warnings(site: Site, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    site.sm("task add", "t", "--source", tmp_path / "s", "--source", "/no/such")
    done = site.sm("backup start", "t", "--format", "json", code=3)
    assert done.json["warnings"] == 1
    log = site.sm("job log", done.json["job"]).out
    assert '"/no/such"' in log
    assert site.json("job show", done.json["job"])["state"] == "warning"


def test_a_postgresql_catalog_does_the_same(tmp_path: Path, postgres: object) -> None:
    site = Site(tmp_path / "site", {"SESAM_DATABASE_URL": postgres.database()})  # type: ignore[attr-defined]
    site.sm("setup init", "--zone", "UTC")
    source = tmp_path / "s"
    source.mkdir()
    (source / "f").write_text("x")
    assert site.backup(source)["state"] == "ok"
    site.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    assert (tmp_path / "back" / str(source).lstrip("/") / "f").read_text() == "x"
    assert site.json("backup verify", "--all")[0]["state"] == "ok"
    assert {row["state"] for row in site.json("setup check")} == {"ok"}
