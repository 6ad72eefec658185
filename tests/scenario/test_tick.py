"""The tick: each occurrence ends with one state, and starts what is to run, once."""

import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import BIN, Site
from trees import small_tree

Row = dict


def at(site: Site, moment: str) -> Site:
    """The same site at another time: ticks rehearse."""
    return replace(site, env={"SESAM_NOW": f"2026-10-{moment}+00:00"})


@pytest.fixture
def ready(tmp_path: Path) -> Site:
    """Daily 20:00 (1), Monthly on the 31st 21:00 (3), as of the 28th at noon."""
    noon = at(Site(tmp_path / "site"), "28T12:00:00")
    noon.sm("setup init", "--zone", "UTC")
    noon.sm("task add", "etc", "--source", small_tree(tmp_path / "source", 3))
    noon.sm("schedule add", "Daily", "--start", "20:00", "--life-time", 180)
    noon.sm("schedule add", "Monthly", "--start", "21:00", "--monthly", "-1")
    for name, priority in (("Daily", 1), ("Monthly", 3)):
        noon.sm(
            *("event add", name, "--type", "backup", "--schedule", name),
            *("--task", "etc", "--priority", priority),
        )
    noon.sm("sepuler tick")
    return noon


def sheet(site: Site, first: str, last: str) -> list[Row]:
    found = site.json("sepuler calendar", "--from", first, "--until", last)
    return [row for row in found if row["event"] != "NEWDAY"]


def states(rows: Iterable[Row]) -> list[tuple[str, str, str]]:
    return [(row["backup_day"][-2:], row["event"], row["state"]) for row in rows]


def ended(site: Site) -> None:
    for job in site.json("job list"):
        site.sm("job wait", job["job"], code=None)


def test_what_is_due_runs_and_nothing_before(ready: Site) -> None:
    at(ready, "28T19:59:30").sm("sepuler tick")
    assert ready.json("backup list") == []
    night = at(ready, "28T20:00:10")
    assert (night.sm("sepuler tick").out, night.sm("sepuler tick").out) == ("", "")
    ended(night)
    (saveset,) = ready.json("backup list")
    assert saveset["backup_day"] == "2026-10-28"
    (row,) = sheet(night, "2026-10-28", "2026-10-28")
    assert (row["event"], row["object"], row["state"]) == ("Daily", "etc", "ok")
    assert row["start_at"] == "2026-10-28T20:00:00+00:00"
    assert night.json("job show", row["job"])["object"] == "etc"
    said = night.sm("sepuler explain", "Daily", "--day", "2026-10-28").out
    assert f"started as job {row['job']}, which is ok" in said


def test_a_higher_one_still_to_come_suppresses(ready: Site) -> None:
    for hour in ("30T20:01:00", "31T20:01:00", "31T21:01:00"):
        moment = at(ready, hour)
        moment.sm("sepuler tick")
        ended(moment)
    found = sheet(moment, "2026-10-30", "2026-10-31")
    assert states(found) == [
        ("30", "Daily", "ok"),
        ("31", "Daily", "suppressed"),
        ("31", "Monthly", "ok"),
    ]
    assert found[1]["by"] == "Monthly"
    said = moment.sm("sepuler explain", "Daily", "--day", "2026-10-31").out
    assert "suppressed: Monthly, priority 3, is planned for 21:00" in said


def test_after_an_outage_the_latest_open_one_starts(ready: Site) -> None:
    ready.sm("schedule add", "Often", "--start", "08:00", "--every", "1h")
    ready.sm("task add", "more", "--source", "/etc/hostname")
    ready.sm("event add", "hourly", "--type", "backup", "--schedule", "Often",
             "--task", "more")  # fmt: skip
    late = at(ready, "30T10:30:00")
    late.sm("sepuler tick")
    ended(late)
    found = Counter(
        row["state"]
        for row in sheet(late, "2026-10-28", "2026-10-30")
        if row["event"] == "hourly" and row["start_at"] < "2026-10-30T10:30"
    )
    assert (found["ok"], found["planned"]) == (1, 0)
    # 08:00 and 09:00 are within their ten hours of life time; 13:00 to 23:00 of the
    # first day, 08:00 to 23:00 of the second are not.
    assert (found["skipped"], found["expired"]) == (2, 11 + 16)
    assert states(sheet(late, "2026-10-28", "2026-10-28"))[0] == (
        "28", "hourly", "expired",
    )  # fmt: skip


def test_twenty_ticks_at_once_start_everything_once(ready: Site) -> None:
    names = [f"t{number}" for number in range(5)]
    for name in names:
        ready.sm("task add", name, "--source", "/etc/hostname")
        ready.sm("event add", f"e-{name}", "--type", "backup", "--schedule", "Daily",
                 "--task", name)  # fmt: skip
    night = at(ready, "28T20:00:10")
    ticks = [
        subprocess.Popen(
            [BIN / "sepuler", "tick"],
            env=night.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    for one in ticks:
        _, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
    night.sm("sepuler tick")
    ended(night)
    found = sheet(night, "2026-10-28", "2026-10-28")
    assert sorted(row["object"] for row in found) == ["etc", *names]
    assert {row["state"] for row in found} == {"ok"}
    assert len(night.json("backup list")) == 6


def test_what_is_switched_off_is_a_row_and_never_starts(ready: Site) -> None:
    ready.sm("event off", "Daily")
    night = at(ready, "28T20:30:00")
    night.sm("sepuler tick")
    night.sm("event on", "Daily")
    night.sm("sepuler tick")
    found = sheet(night, "2026-10-28", "2026-10-28")
    assert states(found) == [("28", "Daily", "off")]
    assert night.json("job list") == []


def test_one_bad_event_stops_no_other(ready: Site) -> None:
    program = ready.root / "etc/commands.d/gone"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    ready.sm("event add", "gone", "--type", "command", "--schedule", "Daily",
             "--command", "gone")  # fmt: skip
    program.unlink()
    night = at(ready, "28T20:00:10")
    night.sm("sepuler tick")
    ended(night)
    found = {row["event"]: row for row in sheet(night, "2026-10-28", "2026-10-28")}
    assert (found["Daily"]["state"], found["gone"]["state"]) == ("ok", "error")
    assert "cannot be run" in found["gone"]["reason"]


def test_a_restore_event_proves_the_newest_saveset(ready: Site, tmp_path: Path) -> None:
    ready.sm("schedule add", "Late", "--start", "23:00")
    ready.sm("event add", "prove", "--type", "restore", "--schedule", "Late",
             "--task", "etc", "--target", tmp_path / "proof")  # fmt: skip
    for hour in ("28T20:01:00", "28T23:01:00"):
        moment = at(ready, hour)
        moment.sm("sepuler tick")
        ended(moment)
    assert states(sheet(moment, "2026-10-28", "2026-10-28")) == [
        ("28", "Daily", "ok"),
        ("28", "prove", "ok"),
    ]
    assert any((tmp_path / "proof").rglob("file1"))


def test_newday_is_an_event_like_others(ready: Site) -> None:
    morning = at(ready, "29T08:00:30")
    morning.sm("sepuler tick")
    ended(morning)
    (row,) = [
        row
        for row in morning.json("sepuler calendar", "--day", "2026-10-29")
        if row["event"] == "NEWDAY"
    ]
    assert (row["type"], row["state"]) == ("newday", "ok")


def test_what_is_off_or_started_by_hand_suppresses_nothing(ready: Site) -> None:
    ready.sm("schedule modify", "Monthly", "--monthly", "28", "--start", "19:00")
    ready.sm("event off", "Monthly")
    at(ready, "28T19:01:00").sm("sepuler tick")
    evening = at(ready, "28T19:30:00")
    evening.sm("event run", "Monthly")
    ended(evening)
    night = at(ready, "28T20:01:00")
    night.sm("sepuler tick")
    ended(night)
    assert states(sheet(night, "2026-10-28", "2026-10-28")) == [
        ("28", "Monthly", "off"),
        ("28", "Monthly", "ok"),
        ("28", "Daily", "ok"),
    ]


def test_a_clock_that_went_back_starts_nothing_twice(ready: Site) -> None:
    night = at(ready, "28T20:01:00")
    night.sm("sepuler tick")
    ended(night)
    before = at(ready, "28T19:59:00")
    # It is looked at once more from then on.
    before.sm("schedule modify", "Daily", "--start", "20:00", "--offset", 1)
    before.sm("schedule modify", "Daily", "--start", "20:00", "--offset", 0)
    night.sm("sepuler tick")
    ended(night)
    assert len(night.json("backup list")) == 1
    assert len([one for one in night.json("job list") if one["type"] == "backup"]) == 1
