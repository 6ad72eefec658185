"""What is started by hand is in the calendar sheet, as its job is."""

import os
import signal
from pathlib import Path

from conftest import Site
from halting import halted_backup
from trees import small_tree


def by_hand(site: Site) -> list[tuple[str, str, str]]:
    rows = site.json("sepuler calendar")
    assert all(row["schedule"] is None for row in rows if row["event"] != "NEWDAY")
    return [
        (row["type"], row["object"], row["state"])
        for row in rows
        if row["event"] is None
    ]


def test_backup_restore_and_newday_are_rows(site: Site, tmp_path: Path) -> None:
    made = site.backup(small_tree(tmp_path / "source", 3), "etc")
    site.sm("backup start", "etc", "--level", "F")
    site.sm("restore start", made["saveset"], "--target", tmp_path / "back")
    site.sm("newday run")
    assert by_hand(site) == [
        ("backup", "etc", "ok"),
        ("backup", "etc", "ok"),
        ("restore", "etc", "ok"),
        ("newday", "NEWDAY", "ok"),
    ]
    first, second, *_ = [r for r in site.json("sepuler calendar") if not r["event"]]
    assert (first["level"], second["level"]) == (None, "FULL")
    assert first["job"] == made["job"]
    assert first["backup_day"] == made["backup_day"]
    assert first["start_at"] == site.json("job show", made["job"])["queued_at"]


def test_a_group_is_a_row_for_each_task(site: Site, tmp_path: Path) -> None:
    source = small_tree(tmp_path / "source", 3)
    site.sm("task group add", "both")
    for name in ("a", "b"):
        site.sm("task add", name, "--source", source, "--group", "both")
    site.sm("backup start", "--group", "both")
    assert by_hand(site) == [("backup", "a", "ok"), ("backup", "b", "ok")]


def test_the_state_follows_the_job(site: Site, tmp_path: Path, many: Path) -> None:
    site.sm("task add", "gone", "--source", tmp_path / "gone")
    site.sm("backup start", "gone", code=None)
    site.sm("task add", "many", "--source", many)
    job, process = halted_backup(site, "many")
    assert by_hand(site)[1] == ("backup", "many", "active")
    os.kill(process, signal.SIGKILL)
    site.sm("job wait", job, code=137)
    states = [row["state"] for row in site.json("sepuler calendar") if not row["event"]]
    assert states[1:] == ["error"]
    (row,) = [r for r in site.json("sepuler calendar") if r["job"] == job]
    assert row["reason"] == "its worker is gone"


def test_a_job_that_is_done_again_belongs_to_its_event(
    site: Site, tmp_path: Path
) -> None:
    source = small_tree(tmp_path / "source", 3)
    site.sm("task add", "etc", "--source", source)
    site.sm("event add", "nightly", "--type", "backup", "--task", "etc")
    (first,) = site.json("event run", "nightly")
    site.sm("job wait", first["job"])
    again = site.json("job restart", first["job"])
    site.sm("job wait", again["job"])
    rows = [r for r in site.json("sepuler calendar") if r["event"] == "nightly"]
    assert [row["job"] for row in rows] == [first["job"], again["job"]]
    assert rows[1]["reason"] == f"job {first['job']} once more, by hand"
    assert rows[1]["state"] == "ok"
