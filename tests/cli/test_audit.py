"""Who changed what, and when: every change of the site is in the audit."""

import getpass
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chains import execute, full
from conftest import Site
from trees import small_tree

ME = getpass.getuser()


def audit(site: Site, name: str = "") -> list[dict[str, Any]]:
    return site.json("report audit", *(("--object", name) if name else ()))


def whats(site: Site, name: str) -> list[str]:
    return [row["what"] for row in audit(site, name)]


def test_a_change_of_a_task_says_what_it_was_and_is(site: Site) -> None:
    site.sm("task add", "etc", "--source", "/etc", "--exclude", "*.bak")
    site.sm("task modify", "etc", "--rpo", 24)
    site.sm("task modify", "etc", "--rpo", 24)  # nothing changes
    site.sm("task remove", "etc", "--yes", "--dry-run")
    site.sm("task remove", "etc", "--yes")
    added, modified, removed = audit(site, "etc")
    assert (added["who"], added["command"], added["what"]) == (
        *(ME, "sm_task add"),
        "add task",
    )
    assert json.loads(added["detail"])["excludes"] == ["*.bak"]
    assert json.loads(added["detail"])["sources"] == ["/etc"]
    assert (modified["what"], modified["detail"]) == ("modify task", '{"rpo": [0, 24]}')
    assert (removed["what"], removed["command"]) == ("remove task", "sm_task remove")


def test_every_kind_of_object_is_in_the_audit(site: Site, tmp_path: Path) -> None:
    for words, kind, more, change in (
        ("client", "client", ("--ssh", "root@x"), ("--note", "n")),
        ("task group", "task group", (), ("--note", "n")),
        ("media group", "drive group", (), ("--note", "n")),
        ("media pool", "media pool", ("--group", "DISK"), ("--retention", 7)),
        ("media store", "data store", ("--path", tmp_path / "s"), ("--note", "n")),
        ("media loader", "loader", ("--device", "scsi:/dev/sg9"), ("--note", "n")),
        ("schedule", "schedule", ("--start", "20:00"), ("--note", "n")),
        ("schedule calendar", "calendar", ("--date", "2027-01-01"), ("--note", "n")),
    ):
        site.sm(f"{words} add", "x1", *more)
        site.sm(f"{words} modify", "x1", *change)
        site.sm(f"{words} remove", "x1", "--yes")
        found = whats(site, "x1")
        assert found == [f"add {kind}", f"modify {kind}", f"remove {kind}"], words
        execute(site, "DELETE FROM audit")
    site.sm("task add", "t", "--source", "/etc/hostname")
    site.sm("event add", "e", "--type", "backup", "--task", "t")
    site.sm("event off", "e")
    site.sm("event run", "e")
    site.sm("event remove", "e", "--yes")
    assert whats(site, "e") == [
        *("add event", "modify event", "run event", "remove event"),
    ]
    site.sm("schedule add", "s", "--start", "20:00")
    site.sm("schedule off", "s")
    assert json.loads(audit(site, "s")[1]["detail"]) == {"enabled": [True, False]}
    site.sm("setup modify", "--remind-hours", 5)
    assert audit(site, "site")[0]["detail"] == '{"remind_hours": [24, 5]}'
    site.sm("setup key add", "office")
    assert whats(site, "office") == ["add key"]


def test_what_is_done_to_savesets_is_in_the_audit(site: Site, tmp_path: Path) -> None:
    name = full(site, small_tree(tmp_path / "source", 3))
    site.sm("backup lock", name)
    site.sm("backup unlock", name)
    site.sm("backup expire", name, "--eol", "2030-01-01")
    site.sm("restore start", name, "--target", tmp_path / "back")
    site.sm("backup remove", name, "--yes")
    assert whats(site, name) == [
        *("lock", "unlock", "expire", "start restore", "start remove", "delete copy"),
    ]
    assert whats(site, "tree") == ["add task", "start backup"]
    site.sm("newday run", "--confirm-clock")
    assert {row["who"] for row in audit(site)} == {ME}


def test_a_change_that_fails_leaves_no_trace(site: Site) -> None:
    site.sm("task add", "etc", "--source", "/etc")
    before = len(audit(site))
    site.sm("task add", "etc", "--source", "/etc", code=11)
    site.sm("task modify", "etc", "--max-chain", 1000, code=2)
    site.sm("client remove", "nobody", "--yes", code=10)
    site.sm("setup modify", "--remind-hours", -1, code=2)
    assert len(audit(site)) == before


def test_who_became_root_by_sudo_is_named(site: Site) -> None:
    replace(site, env={"SUDO_USER": "ann"}).sm("client add", "c1", "--ssh", "root@c1")
    assert [row["who"] for row in audit(site, "c1")] == [f"ann as {ME}"]


def test_the_audit_of_some_days(site: Site) -> None:
    now = datetime.now(UTC)
    for number in range(5):
        moment = now - timedelta(days=number)
        execute(
            site,
            "INSERT INTO audit (at, who, command, what, object, detail)"
            " VALUES (?, 'x', 'y', 'z', ?, '')",
            moment.isoformat(timespec="microseconds"),
            f"o{number}",
        )

    def some(*options: object) -> list[str]:
        return [
            row["object"]
            for row in site.json("report audit", *options)
            if row["who"] == "x"
        ]

    def day(number: int) -> str:
        return (now - timedelta(days=number)).date().isoformat()

    assert some() == ["o4", "o3", "o2", "o1", "o0"]
    assert some("--since", day(2), "--until", day(1)) == ["o2", "o1"]
    assert some("--until", f"{day(3)}T00:00:00+00:00") == ["o4"]
    assert some("--since", day(9), "--until", day(8)) == []
    assert "is no day" in site.sm("report audit", "--since", "yesterday!", code=2).err
    lines = site.sm("report audit", "--format", "jsonl").out.splitlines()
    assert json.loads(lines[0])["object"] == "o4"
    header = site.sm("report audit", "--format", "csv").out.splitlines()[0]
    assert header == "at,who,command,what,object,detail"
    assert "o4" in site.sm("report audit").out


@pytest.mark.parametrize("verb", ["restart", "cancel"])
def test_what_becomes_of_jobs_by_hand_is_in_the_audit(site: Site, verb: str) -> None:
    site.sm("task add", "t", "--source", "/etc/hostname")
    job = site.json("backup start", "t")["job"]
    site.sm(f"job {verb}", job, code=None)
    found = [row["command"] for row in audit(site, "t")][-1]
    assert found == ("sm_job restart" if verb == "restart" else "sm_backup start")
