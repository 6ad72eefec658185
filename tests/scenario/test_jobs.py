"""Jobs as an admin has them: detached, waited for, cancelled, restarted."""

import contextlib
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

from conftest import Site
from halting import cancelled, halted, halted_backup, is_sound, until, worker_of
from trees import differences, small_tree, snapshot


def job(site: Site, number: int) -> dict[str, Any]:
    return site.json("job show", number)


def test_a_detached_backup_prints_its_job_and_can_be_waited_for(
    site: Site, tmp_path: Path
) -> None:
    site.sm("task add", "t", "--source", small_tree(tmp_path / "s"))
    row = site.json("backup start", "t", "--detach", "--level", "COPY")
    assert (row["job"], row["task"], row["state"]) == (1, "t", "queued")
    assert (row["level"], row["saveset"], row["files"]) == ("COPY", None, None)
    (ended,) = site.json("job wait", row["job"])
    assert (ended["state"], ended["exit_code"]) == ("ok", 0)
    assert ended["request"]["level"] == "COPY"
    (saveset,) = site.json("backup list")
    assert set(row) == set(site.json("backup start", "t"))
    assert saveset["level"] == "COPY"


def test_restores_and_verifies_are_detached_as_well(site: Site, tmp_path: Path) -> None:
    source = small_tree(tmp_path / "s")
    saveset = site.backup(source, "t")["saveset"]
    to = ("--task", "t", "--target", tmp_path / "back")
    row = site.json("restore start", *to, "--detach")
    assert (row["state"], row["files"]) == ("queued", None)
    (ended,) = site.json("job wait", row["job"])
    assert (ended["object"], ended["state"]) == (saveset, "ok")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []
    assert set(row) == set(site.json("restore start", *to))
    row = site.json("backup verify", "--all", "--detach")
    assert row["state"] == "queued"
    (ended,) = site.json("job wait", row["job"])
    assert (ended["type"], ended["state"]) == ("verify", "ok")
    jobs = len(site.json("job list"))
    site.sm("backup verify", "nothing", "--detach", code=10)
    site.sm("restore start", *to, "--detach", "--dry-run", code=2)
    assert len(site.json("job list")) == jobs


def test_a_detached_group_is_a_job_for_each_task(site: Site, tmp_path: Path) -> None:
    for name in ("a", "b"):
        site.sm("task add", name, "--source", small_tree(tmp_path / name, 3))
    site.sm("task group add", "g", "--task", "a", "--task", "b")
    rows = site.json("backup start", "--group", "g", "--detach")
    assert [row["task"] for row in rows] == ["a", "b"]
    ended = site.json("job wait", *(row["job"] for row in rows))
    assert [one["state"] for one in ended] == ["ok", "ok"]


def test_a_detached_rehearsal_goes_on_in_its_own_time(
    site: Site, tmp_path: Path
) -> None:
    site.sm("task add", "t", "--source", small_tree(tmp_path / "s", 3))
    later = Site(site.root, {"SESAM_NOW": "2031-05-06T07:08:09+00:00"})
    number = later.json("backup start", "t", "--detach")["job"]
    site.sm("job wait", number)
    assert job(site, number)["started_at"].startswith("2031-05-06T07:08")


def test_waiting_ends_with_the_exit_code_of_the_worst_job(
    site: Site, tmp_path: Path
) -> None:
    tree = small_tree(tmp_path / "s", 3)
    site.sm("task add", "good", "--source", tree)
    site.sm("task add", "warns", "--source", tree, "--source", "/no/such")
    site.sm("task add", "fails", "--source", "/no/such")
    tasks = ("good", "warns", "fails")
    good, warns, fails = (
        site.json("backup start", one, "--detach")["job"] for one in tasks
    )
    site.sm("job wait", good)
    site.sm("job wait", good, warns, code=3)
    rows = site.json("job wait", fails, good, warns, code=51)
    assert [row["state"] for row in rows] == ["error", "ok", "warning"]
    assert [row["exit_code"] for row in rows] == [51, 0, 3]
    site.sm("job wait", 99, code=10)


def test_waiting_gives_up_when_told_to(site: Site, many: Path) -> None:
    site.sm("task add", "t", "--source", many)
    number, process = halted_backup(site, "t")
    done = site.sm("job wait", number, "--timeout", "0.3", "--format", "json", code=75)
    assert f"job {number} is active still" in done.error["message"]
    cancelled(site, number, process)


def test_cancelling_a_running_backup_keeps_what_can_be_read(
    site: Site, many: Path, tmp_path: Path
) -> None:
    site.sm("task add", "t", "--source", many)
    number, process = halted_backup(site, "t")
    cancelled(site, number, process)
    (saveset,) = site.json("backup list")
    assert saveset["state"] == "cancelled"
    assert 0 < saveset["files"] < 20001
    assert site.json("backup verify", saveset["saveset"])[0]["state"] == "ok"
    site.sm("restore start", saveset["saveset"], "--target", tmp_path / "back")
    back = tmp_path / "back" / str(many).lstrip("/")
    assert len(os.listdir(back)) == saveset["files"] - 1
    site.sm("restore start", "--task", "t", "--target", tmp_path / "x", code=10)
    done = site.sm("job cancel", number, "--format", "json", code=10)
    assert done.error["message"] == f"job {number} has ended already (cancelled)"
    is_sound(site)


def test_a_waiting_backup_that_is_cancelled_says_so(site: Site, many: Path) -> None:
    site.sm("task add", "t", "--source", many)
    running = site.popen("backup start", "t", "--format", "json")
    process = halted(site, 1, lambda: list(site.store().glob("S*/data*")))
    assert process == running.pid
    cancelling = site.popen("job cancel", 1, "--format", "json")
    with contextlib.closing(sqlite3.connect(site.root / "var/db/sesam.db")) as db:
        told = "SELECT 1 FROM job WHERE told_to_stop = 1"
        until(lambda: db.execute(told).fetchone(), "it is told")
    assert cancelling.poll() is None
    running.send_signal(signal.SIGCONT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert json.loads(out)["state"] == "cancelled"
    out, _ = cancelling.communicate(timeout=60)
    assert cancelling.returncode == 0
    assert json.loads(out)[0]["state"] == "cancelled"


def test_a_queued_job_is_cancelled_at_once(site: Site, inside: Any) -> None:
    from sesam.service import working

    waiting = working.queue(inside, "backup", "t", {})
    assert site.json("job list", "--state", "queued")[0]["job"] == waiting.id
    (row,) = site.json("job cancel", waiting.id)
    assert (row["state"], row["exit_code"]) == ("cancelled", 130)
    assert row["message"] == "cancelled before it began"


def test_a_job_that_cannot_begin_is_not_queued_for_good(
    site: Site, inside: Any
) -> None:
    from sesam.service import jobs, working

    lost = working.queue(inside, "backup", "no-such-task", {})
    jobs.detach(inside, lost)
    (row,) = site.json("job wait", lost.id, code=10)
    assert row["state"] == "error"
    assert 'no task "no-such-task"' in row["message"]
    odd = working.queue(inside, "juggling", "x", {})
    jobs.detach(inside, odd)
    (row,) = site.json("job wait", odd.id, code=10)
    assert "juggling" in row["message"]
    site.sm("job restart", odd.id, code=10)


def test_a_second_backup_of_a_task_names_the_job_that_runs(
    site: Site, many: Path
) -> None:
    site.sm("task add", "t", "--source", many)
    number, process = halted_backup(site, "t")
    done = site.sm("backup start", "t", "--format", "json", code=75)
    assert done.error["message"].endswith(f"under way already by job {number}")
    assert job(site, number + 1)["state"] == "cancelled"
    assert job(site, number + 1)["exit_code"] == 75
    site.sm("job restart", number, code=11)
    cancelled(site, number, process)


def test_a_restarted_backup_is_a_job_of_its_own(site: Site, tmp_path: Path) -> None:
    site.sm("task add", "t", "--source", small_tree(tmp_path / "s", 3))
    first = site.json("backup start", "t", "--level", "COPY")["job"]
    again = site.json("job restart", first)
    assert (again["job"], again["state"]) == (first + 1, "queued")
    site.sm("job wait", again["job"])
    assert [one["level"] for one in site.json("backup list")] == ["COPY", "COPY"]


def test_a_restarted_restore_goes_on_where_it_was_cancelled(
    site: Site, many: Path, tmp_path: Path
) -> None:
    site.backup(many)
    back = tmp_path / "back" / str(many).lstrip("/")
    running = site.popen(
        "restore start", "--task", "tree", "--target", "back", cwd=tmp_path
    )
    process = halted(site, 2, lambda: back.exists() and len(os.listdir(back)) > 100)
    assert cancelled(site, 2, process)["type"] == "restore"
    running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM
    assert len(os.listdir(back)) < 20000
    again = site.json("job restart", 2)
    site.sm("job wait", again["job"])
    assert differences(snapshot(many), snapshot(back)) == []


def test_a_verify_is_a_job_with_a_log(site: Site, tmp_path: Path) -> None:
    saveset = site.backup(small_tree(tmp_path / "s"))["saveset"]
    site.sm("backup verify", "--all")
    (found,) = site.json("job list", "--type", "verify")
    assert (found["object"], found["state"]) == ("all", "ok")
    assert f"{saveset}: ok" in site.sm("job log", found["job"]).out
    part = next((site.store() / saveset).glob("data-0001*"))
    raw = bytearray(part.read_bytes())
    raw[len(raw) // 2] ^= 1
    part.chmod(0o600)
    part.write_bytes(raw)
    site.sm("backup verify", saveset, code=40)
    *_, found = site.json("job list", "--type", "verify")
    assert (found["object"], found["state"]) == (saveset, "error")
    assert (found["exit_code"], found["message"]) == (
        40, "1 saveset verified, 1 damaged",
    )  # fmt: skip
    assert f"error: {saveset}: " in site.sm("job log", found["job"]).out
    again = site.json("job restart", found["job"])
    site.sm("job wait", again["job"], code=40)


def test_a_verify_can_be_cancelled(site: Site, many: Path) -> None:
    site.backup(many)
    words = ("backup verify", "--task", "tree", "--deep", "--format", "json")
    running = site.popen(*words)
    process = halted(site, 2, lambda: worker_of(site, 2))
    cancelled(site, 2, process)
    running.communicate(timeout=60)
    assert site.json("backup verify", "--all")[0]["state"] == "ok"


def test_a_job_that_asked_for_a_passphrase_is_not_restarted(
    site: Site, tmp_path: Path
) -> None:
    key = site.sm(
        "setup key add", "k", "--passphrase", "--format", "json",
        stdin=None, input=b"secret\nsecret\n",
    ).json  # fmt: skip
    site.backup(small_tree(tmp_path / "s", 3), "tree", "--recipient", key["recipient"])
    (site.root / "var/lis").rename(site.root / "var/away")
    (site.root / "var/lis").mkdir(0o700)
    site.sm(
        "restore start", "--task", "tree", "--target", tmp_path / "back",
        stdin=None, input=b"secret\n",
    )  # fmt: skip
    done = site.sm("job restart", 2, "--format", "json", code=43)
    assert "passphrase" in done.error["message"]
