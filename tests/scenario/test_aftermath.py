"""What follows from an end: follow-ups, fallbacks and retries, each of them once."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import BIN, Site
from halting import until, worker_of
from killer import NOT_REACHED
from killing import KILLER, killed_at

Row = dict
DAY = "2026-10-28"


def at(site: Site, clock: str) -> Site:
    """The same site at a time of the one day of these tests."""
    return replace(site, env={**site.env, "SESAM_NOW": f"{DAY}T{clock}+00:00"})


@pytest.fixture
def ready(tmp_path: Path) -> Site:
    """At noon of a rehearsal: programs that end as their first argument says."""
    noon = at(Site(tmp_path / "site"), "12:00:00")
    noon.sm("setup init", "--zone", "UTC")
    program(noon, "end", f'echo "$@" >> {tmp_path}/ran\nexit $1')
    program(noon, "later", f"exit $(cat {tmp_path}/code)")
    program(noon, "sleep", "exec sleep 100")
    noon.sm("sepuler tick")
    return noon


def program(site: Site, name: str, text: str) -> None:
    path = site.root / "etc/commands.d" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def event(site: Site, name: str, *more: object, code: int = 0, of: str = "end") -> None:
    words = ("--type", "command", "--command", of, *more)
    site.sm("event add", name, *words, *(("--argument", code) if of == "end" else ()))


def ticked(site: Site) -> None:
    """Tick until there is nothing more to do."""
    # A job may have ended whose worker has not seen yet to what follows: a tick that
    # begins after the end does.
    idle = 0
    while True:
        site.sm("sepuler tick")
        open_ = [
            one["job"]
            for one in site.json("job list")
            if one["state"] == "active"
            or (one["state"] == "queued" and "retry" not in one["message"])
        ]
        idle = 0 if open_ else idle + 1
        if idle == 2:
            return
        if open_:
            site.sm("job wait", *open_, code=None)


def rows(site: Site) -> list[Row]:
    found = site.json("sepuler calendar", "--day", DAY)
    return [row for row in found if row["event"] != "NEWDAY"]


def states(site: Site) -> list[tuple[str, str]]:
    return [(row["event"], row["state"]) for row in rows(site)]


# -- follow-ups ------------------------------------------------------------------------


def test_a_chain_runs_on_the_day_of_its_first_one(ready: Site) -> None:
    ready.sm("schedule add", "Late", "--start", "23:59")
    event(ready, "a", "--schedule", "Late", code=3)
    event(ready, "b", "--follow", "a")
    event(ready, "c", "--follow", "b")
    event(ready, "strict", "--follow", "a", "--follow-on", "ok")
    event(ready, "off", "--follow", "b", "--off")
    morning = replace(ready, env={"SESAM_NOW": "2026-10-29T08:30:00+00:00"})
    ticked(morning)
    assert states(morning) == [
        ("a", "warning"),
        ("b", "ok"),
        ("c", "ok"),
        ("off", "off"),
    ]
    a, b, c, _ = rows(morning)
    assert b["reason"] == f"follows job {a['job']} of a"
    assert (b["schedule"], b["start_at"][:10]) == (None, "2026-10-29")
    assert morning.json("job show", c["job"])["backup_day"] == DAY
    assert "follows job" in morning.sm("job log", b["job"]).out
    ticked(morning)
    assert len(rows(morning)) == 4


def test_a_group_is_followed_once_per_job(ready: Site, tmp_path: Path) -> None:
    ready.sm("task group add", "both")
    for name in ("one", "two"):
        ready.sm("task add", name, "--source", "/etc/hostname")
        ready.sm("task group modify", "both", "--task", "one", "--task", name)
    ready.sm("event add", "g", "--type", "backup", "--group", "both")
    event(ready, "after", "--follow", "g")
    for job in ready.json("event run", "g"):
        ready.sm("job wait", job["job"])
    ticked(ready)
    found = [row for row in rows(ready) if row["event"] == "after"]
    # The second may have come while the first one waited.
    assert sorted(row["state"] for row in found) in (["ok", "ok"], ["ok", "skipped"])
    assert len({row["reason"] for row in found}) == 2


def test_what_failed_is_not_followed(ready: Site) -> None:
    event(ready, "a", code=7)
    event(ready, "b", "--follow", "a")
    ready.sm("event run", "a")
    ticked(ready)
    assert states(ready) == [("a", "error")]


def test_twenty_that_notice_an_end_start_one_follow_up(ready: Site) -> None:
    event(ready, "a", of="sleep")
    event(ready, "b", "--follow", "a", "--follow-on", "ok")
    (job,) = ready.json("event run", "a")
    until(lambda: worker_of(ready, job["job"]), "it runs")
    os.kill(worker_of(ready, job["job"]), signal.SIGKILL)
    ready.sm("sepuler tick")
    # As if its worker had ended well, and died before it saw to anything.
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute(\"UPDATE occurrence SET state = 'ok', unseen = 1\""
        "\" WHERE event = 'a'\")\n"
    )
    database = ready.root / "var/db/sesam.db"
    subprocess.run([sys.executable, "-c", script, database], check=True)
    ticks = [
        subprocess.Popen([BIN / "sepuler", "tick"], env=ready.environment())
        for _ in range(20)
    ]
    assert {one.wait(timeout=120) for one in ticks} == {0}
    ticked(ready)
    assert states(ready) == [("a", "ok"), ("b", "ok")]


def killed_runs(site: Site, *words: str) -> Iterator[tuple[Site, int]]:
    """A copy of the site for each step, on which a command was killed at that step."""
    for number in range(1, 60):
        copy = replace(site, root=site.root.with_name(f"copy-{number}"))
        shutil.copytree(site.root, copy.root)
        done = subprocess.run(
            [sys.executable, KILLER, "changing", "", str(number), *words],
            env=copy.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if NOT_REACHED in done.stderr:
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
        yield copy, number
    raise AssertionError("the command never passes")


def ran(site: Site) -> list[str]:
    return (site.root / "ran").read_text().split()


def test_a_tick_that_dies_at_any_step_starts_everything_once(ready: Site) -> None:
    program(ready, "note", 'echo "$1" >> "$SESAM_ROOT/ran"')
    ready.sm("schedule add", "Daily", "--start", "20:00")
    for name in ("a", "b"):
        more = ("--schedule", "Daily") if name == "a" else ("--follow", "a")
        event(ready, name, *more, "--argument", name, of="note")
    night = at(ready, "20:00:10")
    for copy, number in killed_runs(night, "sepuler", "tick"):
        # A worker that was to be started, and was not, is given up after two minutes.
        ticked(at(copy, "20:05:00"))
        ticked(at(copy, "20:10:00"))
        assert states(copy) == [("a", "ok"), ("b", "ok")], number
        assert ran(copy) == ["a", "b"]
    assert number > 4


def test_a_worker_that_dies_at_any_step_is_followed_once_or_not(ready: Site) -> None:
    program(ready, "note", 'echo "$1" >> "$SESAM_ROOT/ran"')
    event(ready, "a", "--argument", "a", of="note")
    event(ready, "b", "--argument", "b", "--follow", "a", of="note")
    # A job in the queue: who was to start its worker has died.
    killed_at(ready, ("changing", "", 2), "event run", "a")
    for copy, number in killed_runs(ready, "worker", "1"):
        ticked(at(copy, "12:05:00"))
        ticked(at(copy, "12:10:00"))
        first, *more = states(copy)
        assert (first[1], more) in [("ok", [("b", "ok")]), ("error", [])], number
    assert number > 4


# -- fallback --------------------------------------------------------------------------


@pytest.fixture
def nights(ready: Site) -> Site:
    """Daily falls back, at 20:00; Weekly (2) 18:00, Monthly (3) 21:00: same program."""
    for name, start in (("Daily", "20:00"), ("Weekly", "18:00"), ("Monthly", "21:00")):
        ready.sm("schedule add", name, "--start", start, "--life-time", 240)
    return ready


def of(site: Site, name: str, priority: int, *more: object) -> None:
    event(site, name, "--schedule", name, "--priority", priority, *more, of="later")


def ends_as(site: Site, code: int) -> None:
    (site.root.parent / "code").write_text(f"{code}\n")


def test_what_was_suppressed_runs_where_its_suppressor_fails(nights: Site) -> None:
    of(nights, "Daily", 1, "--fallback")
    of(nights, "Weekly", 2)
    of(nights, "Monthly", 3)
    for clock in ("18:00:10", "20:00:10"):
        ticked(at(nights, clock))
    assert {state for _, state in states(nights)} == {"suppressed", "planned"}
    ends_as(nights, 1)
    ticked(at(nights, "21:00:10"))
    # Weekly does not fall back: it is suppressed, and counts.
    found = {row["event"]: row for row in rows(at(nights, "21:30:00"))}
    assert (found["Monthly"]["state"], found["Daily"]["state"]) == (
        "error",
        "suppressed",
    )
    assert found["Daily"]["by"] == "Weekly"
    assert found["Daily"]["reason"].startswith("falls back: Monthly ended as error; ")


def test_what_falls_back_runs_after_all_if_its_window_is_open(nights: Site) -> None:
    of(nights, "Daily", 1, "--fallback")
    of(nights, "Weekly", 2, "--fallback")
    of(nights, "Monthly", 3)
    for clock in ("18:00:10", "20:00:10"):
        ticked(at(nights, clock))
    ends_as(nights, 1)
    ticked(at(nights, "21:00:10"))
    found = {row["event"]: row for row in rows(at(nights, "21:30:00"))}
    assert [found[name]["state"] for name in ("Monthly", "Weekly")] == ["error"] * 2
    # All three have failed by now, and each was decided once more.
    assert found["Daily"]["state"] == "error"
    assert "falls back: Monthly ended as error" in found["Daily"]["reason"]
    assert "falls back: Weekly ended as error" in found["Daily"]["reason"]
    assert len(nights.json("job list")) == 3


def test_a_suppressor_that_has_failed_already_suppresses_none(nights: Site) -> None:
    of(nights, "Weekly", 2)
    of(nights, "Daily", 1, "--fallback")
    ends_as(nights, 1)
    ticked(at(nights, "18:00:10"))
    ends_as(nights, 0)
    ticked(at(nights, "20:00:10"))
    assert states(nights) == [("Weekly", "error"), ("Daily", "ok")]


def test_a_closed_window_and_a_blocked_one_stay(nights: Site) -> None:
    of(nights, "Daily", 1, "--fallback")
    of(nights, "Monthly", 3)
    ticked(at(nights, "20:00:10"))
    ends_as(nights, 1)
    # Monthly may start until 01:00, Daily until midnight.
    late = replace(nights, env={"SESAM_NOW": f"{DAY[:-2]}29T00:30:00+00:00"})
    ticked(late)
    assert states(late) == [("Daily", "suppressed"), ("Monthly", "error")]


def test_what_is_blocked_never_falls_back(nights: Site) -> None:
    of(nights, "Daily", 1, "--fallback")
    of(nights, "Weekly", 2, "--blocking")
    of(nights, "Monthly", 3)
    ends_as(nights, 1)
    for clock in ("18:00:10", "20:00:10", "21:00:10"):
        ticked(at(nights, clock))
    found = {row["event"]: row for row in rows(at(nights, "21:30:00"))}
    assert (found["Daily"]["state"], found["Daily"]["by"]) == ("blocked", "Weekly")


# -- retries ---------------------------------------------------------------------------


def test_what_fails_is_tried_again_later(nights: Site) -> None:
    of(nights, "Daily", 1, "--retries", 2, "--retry-after", 30)
    event(nights, "after", "--follow", "Daily")
    ends_as(nights, 1)
    ticked(at(nights, "20:00:10"))
    (row,) = rows(nights)
    assert row["state"] == "queued"
    assert row["reason"].startswith("retry 1 of 2, job 1 failed: ")
    ticked(at(nights, "20:20:00"))
    assert nights.json("job show", row["job"])["state"] == "queued"
    ticked(at(nights, "20:31:00"))
    nights.sm("job wait", row["job"], code=None)
    ends_as(nights, 0)
    until(lambda: len(nights.json("job list")) == 3, "the second retry is queued")
    ticked(at(nights, "21:02:00"))
    nights.sm("job wait", 3)
    ticked(at(nights, "21:02:00"))
    row, after = rows(nights)
    assert (row["state"], row["job"], after["state"]) == ("ok", 3, "ok")
    assert row["reason"].startswith("retry 2 of 2, job 2 failed: ")
    assert [job["state"] for job in nights.json("job list")] == [
        "error", "error", "ok", "ok",
    ]  # fmt: skip
    assert "retry 2 of 2, job 2 failed" in nights.sm("job log", 3).out
    assert "as job 3" in nights.sm("job log", 2).out


def test_retries_end_with_their_number_and_with_the_life_time(nights: Site) -> None:
    of(nights, "Daily", 1, "--retries", 1)
    of(nights, "Weekly", 0, "--retries", 9, "--retry-after", 300)
    ends_as(nights, 1)
    for clock in ("18:00:10", "20:00:10", "20:01:10"):
        ticked(at(nights, clock))
    for _ in range(2):
        ticked(at(nights, "20:02:10"))
    weekly, daily = rows(nights)
    assert (weekly["state"], daily["state"]) == ("error", "error")
    assert "no retry: its life time ends before it" in weekly["reason"]
    assert "no retry: 1 of 1 made" in daily["reason"]


@pytest.mark.parametrize("how", ["killed", "rebooted"])
def test_a_lost_worker_is_an_error_that_is_retried(ready: Site, how: str) -> None:
    event(ready, "a", "--retries", 1, of="sleep")
    (job,) = ready.json("event run", "a")
    until(lambda: worker_of(ready, job["job"]), "it runs")
    worker = worker_of(ready, job["job"])
    if how == "rebooted":
        script = (
            "import sqlite3, sys\n"
            "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "(w,) = db.execute('SELECT worker FROM job').fetchone()\n"
            "host, boot, *rest = w.split('/')\n"
            "db.execute('UPDATE job SET worker = ?', ['/'.join([host, 'x', *rest])])\n"
        )
        database = ready.root / "var/db/sesam.db"
        subprocess.run([sys.executable, "-c", script, database], check=True)
    else:
        os.kill(worker, signal.SIGKILL)
    ready.sm("sepuler tick")
    ready.sm("sepuler tick")
    (row,) = rows(ready)
    assert row["job"] == 2
    assert row["reason"] == "retry 1 of 1, job 1 failed: its worker is gone"
    until(lambda: worker_of(ready, 2), "it runs again")
    ready.sm("job cancel", 2)
    if how == "rebooted":
        os.kill(worker, signal.SIGTERM)
    # What an admin cancels is not tried again.
    ticked(ready)
    assert states(ready) == [("a", "cancelled")]
