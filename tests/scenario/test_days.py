"""The end of a backup day: closed, summed up, final; what is old is let go."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chains import audited, execute
from conftest import Site
from telling import put, ticked, told
from trees import small_tree

START = datetime(2027, 3, 1, 12, tzinfo=UTC)
At = Callable[[float], Site]


@pytest.fixture
def at(tmp_path: Path) -> At:
    """A site so many days after its beginning, a Monday at noon."""

    def moved(days: float) -> Site:
        moment = START + timedelta(days=days)
        return Site(tmp_path / "site", {"SESAM_NOW": moment.isoformat()})

    site = moved(0)
    site.sm("setup init", "--zone", "UTC")
    site.sm("task add", "good", "--source", small_tree(tmp_path / "source", 3))
    site.sm("task add", "bad", "--source", "/nowhere/at/all")
    return moved


def closed(site: Site) -> list[tuple[str, str, dict[str, int]]]:
    found = site.json("newday list")
    return [(one["backup_day"][-2:], one["state"], one["jobs"]) for one in found]


def test_a_day_is_closed_and_summed_up_once(at: At) -> None:
    kept = put(at(0), "sm_newday")
    at(0).sm("backup start", "good")
    at(0).sm("backup start", "bad", code=51)
    planned = at(1).json("newday run", "--dry-run")
    assert planned["closed"] == ["2027-03-01"]
    assert {"close day"} <= {row["action"] for row in planned["plan"]}
    assert closed(at(1)) == []
    done = at(1).json("newday run")
    assert done["closed"] == ["2027-03-01"]
    assert at(1).json("newday run")["closed"] == []
    (one,) = told(kept, 1)
    assert one["subject"] == "backup day 2027-03-01: 1 error, 1 ok"
    assert (one["kind"], one["object"], one["state"]) == (
        *("summary", "2027-03-01"),
        "error",
    )
    assert one["jobs"] == {"error": 1, "ok": 1}
    assert (one["savesets"], one["expired"], one["missing"]) == (1, 0, 0)
    (failed,) = one["failed"]
    assert (failed["object"], failed["type"]) == ("bad", "backup")
    assert "error: backup of bad, job 2: no source can be read" in one["text"]
    assert closed(at(1)) == [("01", "final", {"error": 1, "ok": 1})]
    log = (at(0).root / "var/log/2027-03-01/day.log").read_text().splitlines()
    assert [line.split()[0] for line in log] == ["0", "2"]
    assert "job 2 backup bad: no source can be read" in log[1]


def test_without_a_script_of_its_own_a_summary_goes_to_sm_notify(at: At) -> None:
    kept = put(at(0), "sm_notify")
    at(0).sm("backup start", "good")
    at(1).sm("newday run")
    assert told(kept, 1)[0]["kind"] == "summary"


def test_a_silent_day_is_summed_up_too(at: At) -> None:
    at(0).sm("backup start", "good")
    at(1).sm("newday run")
    kept = put(at(0), "sm_newday")
    for table in ("occurrence", "job"):
        execute(at(0), f"DELETE FROM {table} WHERE backup_day > '2027-03-01'")
    at(4).sm("newday run", "--confirm-clock")
    (one,) = told(kept, 1)
    assert one["subject"] == "backup day 2027-03-04: no job"


def test_missed_newdays_close_each_day_that_had_jobs(at: At) -> None:
    for day in (0, 1, 2):
        at(day).sm("backup start", "good")
    at(0.1).sm("newday run")  # nothing to close yet
    at(3).sm("newday run")
    # Of a site that never closed a day, what came before is history.
    assert [one[0] for one in closed(at(3))] == ["03"]
    for day in (3, 4):
        at(day).sm("backup start", "good")
    at(5).sm("newday run")
    assert [one[0] for one in closed(at(5))] == ["03", "04", "05"]


def test_a_day_is_final_when_its_last_job_has_ended(at: At) -> None:
    at(0).sm("backup start", "good")
    job = at(0).json("backup start", "good")["job"]
    execute(at(0), "UPDATE job SET state = 'queued', ended_at = NULL WHERE id = ?", job)
    at(1).sm("newday run")
    assert closed(at(1)) == [("01", "closed", {"ok": 1, "queued": 1})]
    at(1).sm("sepuler tick")
    assert closed(at(1))[0][1] == "closed"
    at(1.1).sm("job cancel", job)
    ticked(at(1.1))
    assert closed(at(1.1)) == [("01", "final", {"cancelled": 1, "ok": 1})]
    log = (at(0).root / "var/log/2027-03-01/day.log").read_text()
    assert log.splitlines()[1].startswith("3 ")


def test_nothing_is_cancelled_unless_the_site_wants_it(at: At) -> None:
    jobs = [at(0).json("backup start", "good")["job"] for _ in range(2)]
    execute(at(0), "UPDATE job SET state = 'queued'")
    execute(at(0), "UPDATE job SET type = 'verify' WHERE id = ?", jobs[1])
    assert at(1).json("newday run")["cancelled"] == 0
    at(1).sm("setup modify", "--cancel-at-newday", "backup")
    planned = at(1).json("newday run", "--dry-run")
    (row,) = [row for row in planned["plan"] if row["action"] == "cancel job"]
    assert row["reason"] == f"job {jobs[0]}: backup of backup day 2027-03-01"
    assert at(1).json("newday run")["cancelled"] == 1
    states = {row["job"]: row["state"] for row in at(1).json("job list")}
    assert [states[one] for one in jobs] == ["cancelled", "queued"]
    assert audited(at(1), "cancel job") == [
        (str(jobs[0]), "cancelled by newday of 2027-03-02"),
    ]
    at(1).sm("setup modify", "--no-cancel-at-newday")
    assert at(1).json("setup show")["cancel_at_newday"] == []


def test_logs_and_rows_of_the_sheet_go_by_their_retention(at: At) -> None:
    at(0).sm("schedule add", "daily", "--start", "13:00")
    at(0).sm(
        *("event add", "e", "--type", "backup", "--task", "good"),
        *("--schedule", "daily", "--off"),
    )
    for day in (0.1, 1.1, 2.1):
        ticked(at(day))
        at(day).sm("backup start", "good")
    at(2.1).sm("setup modify", "--log-days", 1, "--sheet-days", 2)
    logs = at(0).root / "var/log"
    (logs / "2027-03-01/mine").write_text("not a log")
    (logs / "notes").mkdir()
    planned = at(3).json("newday run", "--dry-run")
    assert (planned["pruned_logs"], planned["pruned_rows"] > 0) == (2, True)
    reasons = [row["reason"] for row in planned["plan"] if "prune" in row["action"]]
    assert reasons[0] == "logs of backup day 2027-03-01"
    assert "of the calendar sheet, before 2027-03-02" in reasons[-1]
    assert (logs / "2027-03-02/job-2.log").exists()
    done = at(3).json("newday run")
    assert done["pruned_rows"] == planned["pruned_rows"]
    left = {str(one.relative_to(logs)) for one in logs.rglob("*")}
    assert not (logs / "2027-03-02").exists()
    assert {"2027-03-01/mine", "notes"} <= left
    assert "2027-03-01/job-1.log" not in left
    (oldest,) = execute(at(3), "SELECT min(backup_day) FROM occurrence")
    assert oldest == ("2027-03-02",)
    assert at(3).json("job list")[0]["job"] == 1
    assert at(3).json("newday run")["pruned_logs"] == 0


def test_nothing_is_pruned_while_deletions_are_paused(at: At) -> None:
    at(0).sm("backup start", "good")
    at(0).sm("newday run")
    at(0).sm("setup modify", "--log-days", 1)
    done = at(30).json("newday run", code=3)
    assert (done["pruned_logs"], bool(done["paused"])) == (0, True)
    assert (at(0).root / "var/log/2027-03-01/job-1.log").exists()
    assert done["closed"] == ["2027-03-01"]


def test_what_is_wrong_with_a_retention_is_said(at: At) -> None:
    for option in ("--log-days", "--sheet-days"):
        said = at(0).sm("setup modify", option, -1, code=2).err
        assert f"{option} is 0, for ever, to 99999 days" in said


def test_a_summary_says_what_expired(at: At) -> None:
    kept = put(at(0), "sm_newday")
    for _ in range(2):
        name = at(0).json("backup start", "good", "--level", "FULL")["saveset"]
        at(0).sm("backup expire", name, "--eol", "2027-03-01")
    at(1).sm("newday run")
    found: dict[str, Any] = told(kept, 1)[0]
    assert found["expired"] == 1
    assert "Copies expired and deleted: 1." in found["text"]
    stored = execute(at(1), "SELECT summary FROM closed_day")
    assert json.loads(stored[0][0])["expired"] == 1


def test_newday_is_moved_from_tomorrow_on(at: At) -> None:
    """Of a site where it is Wednesday, 2027-03-03, at noon."""
    zero = at(0).json("newday show")
    at(0).sm("schedule modify", "NEWDAY", "--start", "06:00", "--weekly", "mon,tue,thu")
    now = at(0).json("newday show")
    assert (now["backup_day"], now["since"]) == (zero["backup_day"], zero["since"])
    begun = datetime.fromisoformat(now["since"])
    until = datetime.fromisoformat(now["until"])
    assert until.hour == 6
    assert until.strftime("%a") in ("Mon", "Tue", "Thu")
    for hours in range(0, 24 * 10, 5):
        found = at(hours / 24).json("newday show")
        day = datetime.fromisoformat(found["since"])
        assert found["backup_day"] == f"{day:%F}"
        assert day == begun or f"{day:%a %H}" in ("Mon 06", "Tue 06", "Thu 06")
    audit = at(0).json("report audit", "--object", "NEWDAY")
    assert any("06:00" in str(row) for row in audit)
