"""The housekeeping of a backup day, through real processes."""

import os
import shutil
import signal
import sqlite3
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chains import audited, chain, execute, expired, full, listed, stored
from conftest import Site
from killing import Step, killed_at

from sesam.catalog import claims
from sesam.errors import Interrupted
from sesam.service import newday
from sesam.service.ground.owner import JUDGE, current_owner

START = datetime.fromisoformat("2031-05-06T09:00:00+00:00")
DAYS_31 = timedelta(days=31)


def at(site: Site, moment: datetime) -> Site:
    """The same site with its clock moved."""
    return Site(site.root, {**site.env, "SESAM_NOW": moment.isoformat()})


def without_task(site: Site) -> None:
    """The task `tree` is no more; its savesets are."""
    execute(site, "DELETE FROM task_source")
    execute(site, "DELETE FROM task WHERE name = 'tree'")


def plan_of(done: dict, action: str) -> list[str]:
    return [row["saveset"] for row in done["plan"] if row["action"] == action]


def test_the_plan_that_is_shown_is_the_one_that_is_carried_out(
    site: Site, tmp_path: Path
) -> None:
    old = chain(site, tmp_path / "old", 3)
    new = chain(site, tmp_path / "new", 2, "other")
    again = full(site, tmp_path / "old")
    expired(site, *old, *new)
    planned = site.json("newday run", "--dry-run")
    assert listed(site) == [*old, *new, again]
    assert (planned["job"], planned["state"], planned["paused"]) == (None, "ok", None)
    done = site.json("newday run")
    assert plan_of(done, "delete") == plan_of(planned, "delete") == old[::-1]
    assert plan_of(done, "keep") == plan_of(planned, "keep") == new[::-1]
    assert (done["deleted"], done["kept"], done["missing"]) == (3, 2, 0)
    assert done["freed_bytes"] == planned["freed_bytes"] > 1000
    reasons = {row["saveset"]: row["reason"] for row in done["plan"]}
    assert reasons[old[0]] == "EOL 2020-01-01 is past"
    assert 'newest good saveset of task "other"' in reasons[new[1]]
    assert f'"{new[1]}" builds on it' in reasons[new[0]]
    assert listed(site) == [*new, again]
    assert stored(site) == {*new, again}
    assert {name for name, _ in audited(site, "delete copy")} == set(old)
    job = site.json("job show", done["job"])
    assert (job["type"], job["state"]) == ("newday", "ok")
    assert f"{old[0]} in default is removed" in site.sm("job log", done["job"]).out
    site.sm("setup check")
    assert site.json("newday run")["deleted"] == 0


def test_a_task_that_is_gone_keeps_nothing(site: Site, tmp_path: Path) -> None:
    names = chain(site, tmp_path / "source", 2)
    expired(site, *names)
    without_task(site)
    assert plan_of(site.json("newday run"), "delete") == names[::-1]
    assert listed(site) == []


# What newday does at last before it is killed.
NEWDAY_STEPS = [
    ("remove", "manifest.json", 1),
    ("remove", "data-0001", 2),
    ("rename", "newday-", 1),
    ("fsync", "", 2),
]


@pytest.mark.parametrize("step", NEWDAY_STEPS)
def test_a_newday_killed_at_a_step_is_gone_on_with_by_the_next(
    site: Site, tmp_path: Path, step: Step
) -> None:
    names = chain(site, tmp_path / "source", 2)
    without_task(site)
    expired(site, *names)
    killed_at(site, step, "newday run")
    site.sm("newday run")
    assert listed(site) == []
    assert stored(site) == set()
    assert os.listdir(site.root / "var/lis") == []
    assert execute(site, "SELECT count(*), sum(done) FROM tombstone") == [(2, 2)]
    assert not list((site.root / "var/db").glob("*.new.db"))
    site.sm("setup check")


def test_what_is_lost_is_marked_and_what_is_back_is_good_again(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 1)
    names += chain(site, tmp_path / "source", 1)
    lost = site.store() / names[0]
    shutil.move(lost, tmp_path / "lost")
    rows = site.json("setup check", code=3)
    (told,) = [row for row in rows if row["check"] == "copies"]
    assert told["state"] == "error"
    assert told["message"].startswith(f"{names[0]} is missing: ")
    assert site.json("newday run", "--dry-run", code=3)["missing"] == 1
    assert execute(site, "SELECT state FROM copy") == [("ok",), ("ok",)]
    done = site.json("newday run", code=3)
    assert (done["state"], done["missing"]) == ("warning", 1)
    assert plan_of(done, "missing") == names[:1]
    assert execute(site, "SELECT state FROM copy") == [("missing",), ("ok",)]
    assert listed(site) == names
    # What is lost does not stand in for what can be read.
    expired(site, *names)
    assert plan_of(site.json("newday run", "--dry-run", code=3), "delete") == names[:1]
    shutil.move(tmp_path / "lost", lost)
    rows = site.json("setup check", "--repair")
    assert f"{names[0]} is ok now: it is there again" in str(rows)
    assert execute(site, "SELECT state FROM copy") == [("ok",), ("ok",)]
    assert len(audited(site, "copy 1 is ok")) == 1


def test_what_was_cut_short_is_damaged_and_verify_takes_it_back(
    site: Site, tmp_path: Path
) -> None:
    (name,) = chain(site, tmp_path / "source", 1)
    part = site.store() / name / "data-0001.tar.zst"
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    done = site.json("newday run", code=3)
    assert plan_of(done, "damaged") == [name]
    part.write_bytes(whole)
    assert site.json("newday run", code=3)["missing"] == 0
    site.sm("backup verify", name)
    assert site.json("newday run")["state"] == "ok"


def test_an_absent_store_changes_nothing(site: Site, tmp_path: Path) -> None:
    (name,) = chain(site, tmp_path / "source", 1)
    site.store().rename(tmp_path / "away")
    site.store().mkdir()
    assert site.json("newday run")["missing"] == 0
    assert execute(site, "SELECT state FROM copy") == [("ok",)]
    assert listed(site) == [name]


def test_what_the_catalog_does_not_know_is_reported_and_removed_when_told(
    site: Site, other_site: Site, tmp_path: Path
) -> None:
    (name,) = chain(site, tmp_path / "source", 1)
    (strange,) = chain(other_site, tmp_path / "source", 1)
    shutil.copytree(other_site.store() / strange, site.store() / strange)
    half = strange[:-1] + ("A" if strange[-1] != "A" else "B")
    (site.store() / half).mkdir()
    (site.store() / half / "data-0001.tar.zst.part").write_bytes(b"half")
    (site.store() / "letters").mkdir()
    for words in ((), ("--repair",)):
        rows = site.json("setup check", *words, code=3)
        told = sorted(row["message"] for row in rows if row["check"] == "unknown")
        assert len(told) == 3
        assert f'"{strange}", a saveset that the catalog does not know' in str(told)
        assert f'"{half}", remains of a saveset, without a manifest' in str(told)
        assert '"letters", which is no saveset' in str(told)
    site.sm("newday run")
    assert stored(site) == {name, strange, half, "letters"}
    rows = site.json("setup check", "--repair", "--delete-unknown", code=3)
    assert "2 unknown savesets removed" in str(rows)
    assert stored(site) == {name, "letters"}
    assert {name for name, _ in audited(site, "delete unknown")} == {strange, half}


def test_listings_that_nobody_reads_are_dropped_but_not_of_encrypted_savesets(
    site: Site, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    key = site.json("setup key add", "office")["recipient"]
    (old,) = chain(site, source, 1)
    (fresh,) = chain(site, source, 1, "fresh")
    secret = full(site, source, "secret", "--recipient", key)
    cache = site.root / "var/lis"
    long_ago = time.time() - 31 * 86400
    for name in (old, secret):
        os.utime(cache / f"{name}.listing.zst", (long_ago, long_ago))
    (cache / "SF20200101000000000@AAAAAAAAAAA.listing.zst.part").write_bytes(b"x")
    planned = site.json("newday run", "--dry-run")
    done = site.json("newday run")
    assert planned["dropped_listings"] == done["dropped_listings"] == 2
    assert {one.name for one in cache.iterdir()} == {
        f"{name}.listing.zst" for name in (fresh, secret)
    }
    assert site.json("backup files", old)


def test_seven_checked_copies_of_the_catalog_are_kept(site: Site) -> None:
    where = site.root / "var/db"
    for day in range(1, 10):
        (where / f"newday-2020-01-0{day}.db").write_bytes(b"")
    day = site.json("newday run")["backup_day"]
    names = sorted(one.name for one in where.glob("newday-*"))
    assert names == [f"newday-2020-01-0{n}.db" for n in range(4, 10)] + [
        f"newday-{day}.db"
    ]
    copy = sqlite3.connect(where / names[-1])
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert copy.execute("SELECT count(*) FROM task").fetchone() == (1,)
    copy.close()


def test_the_backup_day_is_shown(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "Europe/Berlin")
    night = at(site, datetime.fromisoformat("2027-03-28T07:00:00+02:00"))
    shown = night.json("newday show")
    assert shown == {
        "backup_day": "2027-03-27",
        "since": "2027-03-27T08:00:00+01:00",
        "until": "2027-03-28T08:00:00+02:00",
        "last_run_at": None,
        "paused": None,
    }
    night.sm("newday run")
    assert night.json("newday show")["last_run_at"].startswith("2027-03-28T07:00:0")


def test_two_newdays_do_not_run_at_once(site: Site, inside: Any) -> None:
    with claims.holding(inside.catalog, "newday", current_owner(), JUDGE):
        done = site.sm("newday run", "--format", "json", code=75)
    assert "newday is in use" in done.error["message"]
    assert site.json("job list") == []
    site.sm("newday run")


def test_a_newday_that_is_told_to_stop_ends_between_two_copies(
    site: Site, inside: Any, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 2)
    without_task(site)
    expired(site, *names)
    stop = newday.Run(lambda heartbeat: heartbeat.stop(signal.SIGTERM))
    with pytest.raises(Interrupted):
        newday.run(inside, stop, dry_run=False, confirm=False)
    job = site.json("job list")[-1]
    assert (job["type"], job["state"], job["exit_code"]) == ("newday", "cancelled", 143)
    assert listed(site) == names
    site.sm("job restart", job["job"])
    site.sm("job wait", job["job"] + 1)
    assert listed(site) == []


# -- the clock -----------------------------------------------------------------------


@pytest.fixture
def rehearsal(site: Site) -> Site:
    """A site whose first newday ran under SESAM_NOW, at START."""
    at(site, START).sm("newday run")
    return site


def old_and_new(site: Site, source: Path, moment: datetime) -> list[str]:
    """Two FULLs of one task: the first is expired 31 days later, the second stays."""
    source.mkdir()
    hours = (timedelta(), timedelta(minutes=1))
    return [full(at(site, moment + one), source) for one in hours]


def test_a_leap_ahead_pauses_deletions_until_an_admin_confirms(
    rehearsal: Site, tmp_path: Path
) -> None:
    names = old_and_new(rehearsal, tmp_path / "source", START)
    later = at(rehearsal, START + DAYS_31)
    # A backup after a long silence goes on, and does not hide the leap from newday.
    newest = full(later, tmp_path / "source")
    assert later.json("newday show")["paused"] is None
    planned = later.json("newday run", "--dry-run", code=3)
    done = later.json("newday run", code=3)
    for one in (planned, done):
        assert (one["state"], one["deleted"], one["kept"]) == ("warning", 0, 2)
        assert one["paused"].startswith("the clock leapt ahead from 2031-05-06T09:0")
        assert "paused" in one["plan"][0]["reason"]
    assert listed(later) == [*names, newest]
    error = later.sm("backup remove", names[0], "--format", "json", code=12).error
    assert "deletions are paused" in error["message"]
    assert error["hint"] == "sm_newday run --confirm-clock"
    (later.store() / "SF20200101000000000@AAAAAAAAAAA").mkdir()
    later.sm("setup check", "--repair", "--delete-unknown", code=12)
    full(later, tmp_path / "source")
    rows = later.json("setup check", code=3)
    assert "deletions are paused" in str([r for r in rows if r["check"] == "clock"])
    done = later.json("newday run", "--confirm-clock")
    assert (done["deleted"], done["paused"]) == (2, None)
    later.sm("setup check", "--repair", "--delete-unknown")
    assert [one for one, _ in audited(later, "pause")] == ["clock"]
    assert audited(later, "end of pause") == [("clock", "confirmed")]


def test_three_days_of_regular_runs_end_the_pause(
    rehearsal: Site, tmp_path: Path
) -> None:
    old_and_new(rehearsal, tmp_path / "source", START)
    for day in range(3):
        now = START + DAYS_31 + timedelta(days=day)
        assert at(rehearsal, now).json("newday run", code=3)["deleted"] == 0
    now += timedelta(days=1, minutes=1)
    assert at(rehearsal, now).json("newday run")["deleted"] == 1


def test_a_clock_that_goes_back_is_seen_by_a_backup_too(
    rehearsal: Site, tmp_path: Path
) -> None:
    names = old_and_new(rehearsal, tmp_path / "source", START)
    back = at(rehearsal, START - timedelta(minutes=10))
    back.backup(tmp_path / "source")
    assert back.json("newday show")["paused"].startswith("the clock went back from")
    back.sm("backup remove", names[0], code=12)
    done = back.json("newday run", "--confirm-clock")
    assert done["paused"] is None
    back.sm("backup remove", names[0])


def test_daily_runs_are_never_paused(rehearsal: Site, tmp_path: Path) -> None:
    names = old_and_new(rehearsal, tmp_path / "source", START)
    for day in (2, 4, 6):
        now = at(rehearsal, START + timedelta(days=day))
        assert now.json("newday run")["paused"] is None
    assert listed(rehearsal) == names


def test_under_a_moved_clock_nothing_is_deleted_from_a_real_site(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 1)
    moved = at(site, START)
    # Before the first newday the site may still become either.
    moved.sm("backup remove", names[0])
    names = chain(site, tmp_path / "source", 1)
    site.sm("newday run")
    for words in (
        ("newday run",),
        ("newday run", "--dry-run"),
        ("newday run", "--confirm-clock"),
        ("backup remove", names[0]),
    ):
        error = moved.sm(*words, "--format", "json", code=12).error
        assert "SESAM_NOW" in error["message"]
    moved.backup(tmp_path / "source")
    # And that backup has not made the true clock look wrong.
    assert site.json("newday run")["paused"] is None


def test_a_rehearsal_site_has_no_newday_without_it(
    rehearsal: Site, tmp_path: Path
) -> None:
    error = rehearsal.sm("newday run", "--format", "json", code=12).error
    assert "rehearses" in error["message"]
    rehearsal.backup(tmp_path)
    assert at(rehearsal, START).json("newday run")["paused"] is None


def test_a_dry_run_decides_nothing_about_the_clock(site: Site) -> None:
    at(site, START).sm("newday run", "--dry-run")
    assert site.json("newday run", "--dry-run")["paused"] is None
    site.sm("newday run")
    assert date.fromisoformat(site.json("newday show")["backup_day"]) < START.date()
