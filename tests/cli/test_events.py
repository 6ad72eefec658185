"""Events: added, changed, refused with a sentence, run by hand."""

import os
from pathlib import Path

import pytest
from conftest import Site
from trees import small_tree


@pytest.fixture
def ready(site: Site, tmp_path: Path) -> Site:
    site.sm("task add", "etc", "--source", small_tree(tmp_path / "source", 3))
    site.sm("task add", "home", "--source", small_tree(tmp_path / "more", 3))
    site.sm("task group add", "nightly", "--task", "etc", "--task", "home")
    return site


def program(site: Site, name: str, text: str, mode: int = 0o755) -> Path:
    path = site.root / "etc/commands.d" / name
    path.write_text(text)
    path.chmod(mode)
    return path


def refused(site: Site, *words: object, code: int = 2) -> str:
    done = site.sm("event add", *words, "--format", "json", code=code)
    message = str(done.error["message"])
    assert len(site.json("event list")) == 1
    return message


def test_an_event_is_shown_as_it_was_added(ready: Site) -> None:
    row = ready.json(
        *("event add", "monthly", "--type", "backup", "--schedule", "NEWDAY"),
        *("--group", "nightly", "--level", "full", "--priority", 3, "--fallback"),
    )
    assert row["schedule"] == "NEWDAY"
    assert (row["level"], row["priority"], row["fallback"]) == ("FULL", 3, True)
    assert (row["enabled"], row["blocking"], row["task"]) == (True, False, "")
    assert ready.json("event show", "monthly") == row
    changed = ready.json("event modify", "monthly", "--task", "etc", "--level", "INCR")
    assert (changed["task"], changed["group"]) == ("etc", "")
    assert changed["since"] == row["since"]
    gone = ready.json("event modify", "monthly", "--no-schedule")
    assert gone["schedule"] == ""
    names = [one["name"] for one in ready.json("event list")]
    assert names == ["NEWDAY", "monthly"]
    (only,) = ready.json("event list", "--without-schedule")
    assert only["name"] == "monthly"
    ready.sm("event remove", "monthly", "--yes")
    ready.sm("event show", "monthly", code=10)


BAD = {
    "neither task nor group": ["x", "--type", "backup"],
    "task and group": ["x", "--type", "backup", "--task", "etc", "--group", "nightly"],
    "level of a restore": (
        ["x", "--type", "restore", "--task", "etc", "--target", "/r", "--level", "FULL"]
    ),
    "no target": ["x", "--type", "restore", "--task", "etc"],
    "no action": ["x", "--type", "media", "--drive-group", "DISK"],
    "priority": ["x", "--type", "backup", "--task", "etc", "--priority", "100"],
    "blocking 0": (
        ["x", "--type", "backup", "--task", "etc", "--priority", "0", "--blocking"]
    ),
    "a path": ["x", "--type", "command", "--command", "../../bin/sh"],
}


@pytest.mark.parametrize("why", BAD)
def test_what_contradicts_itself_is_refused(ready: Site, why: str) -> None:
    assert 'event "x": ' in refused(ready, *BAD[why])


def test_what_is_not_there_is_refused(ready: Site) -> None:
    task = ("--type", "backup", "--task", "etc")
    assert 'no task "ect"' in refused(
        ready, "x", "--type", "backup", "--task", "ect", code=10
    )
    assert "no schedule" in refused(ready, "x", *task, "--schedule", "S", code=10)
    assert "no event" in refused(ready, "x", *task, "--follow", "y", code=10)
    assert "commands.d" in refused(
        ready, "x", "--type", "command", "--command", "no-such", code=10
    )


def test_an_event_cannot_follow_itself(ready: Site) -> None:
    task = ("--type", "backup", "--task", "etc")
    ready.sm("event add", "a", *task)
    ready.sm("event add", "b", *task, "--follow", "a")
    ready.sm("event add", "c", *task, "--follow", "b")
    done = ready.sm("event modify", "a", "--follow", "c", code=2)
    assert '"a" would follow itself: a after c after b after a' in done.err
    ready.sm("event remove", "a", "--yes", code=12)


def test_what_an_event_needs_is_not_removed(ready: Site) -> None:
    ready.sm("event add", "a", "--type", "backup", "--task", "etc")
    ready.sm("event add", "b", "--type", "backup", "--group", "nightly")
    assert 'needed by event "a"' in ready.sm("task remove", "etc", "--yes", code=12).err
    assert (
        'needed by event "b"'
        in ready.sm("task group remove", "nightly", "--yes", code=12).err
    )


def test_newday_stays(ready: Site) -> None:
    ready.sm("event remove", "NEWDAY", "--yes", code=12)
    ready.sm("event off", "NEWDAY", code=12)
    ready.sm("event modify", "NEWDAY", "--no-schedule", code=12)
    ready.sm("event modify", "NEWDAY", "--priority", 1, code=12)
    ready.sm("event off", "NEWDAY", "--force")
    assert not ready.json("event show", "NEWDAY")["enabled"]
    ready.sm("event on", "NEWDAY")


def test_a_group_event_run_by_hand_is_a_job_for_each_task(ready: Site) -> None:
    ready.sm("event add", "all", "--type", "backup", "--group", "nightly")
    started = ready.json("event run", "all")
    assert [one["object"] for one in started] == ["etc", "home"]
    ended = ready.json("job wait", *[one["job"] for one in started])
    assert [one["state"] for one in ended] == ["ok", "ok"]
    assert len(ready.json("backup list")) == 2


def test_a_restore_event_restores_the_newest(ready: Site, tmp_path: Path) -> None:
    ready.sm("backup start", "etc")
    target = tmp_path / "rehearsal"
    ready.sm(
        *("event add", "prove", "--type", "restore", "--task", "etc"),
        *("--target", target),
    )
    (job,) = ready.json("event run", "prove")
    (ended,) = ready.json("job wait", job["job"])
    assert ended["state"] == "ok"
    assert any(target.rglob("file1"))


def test_a_blocking_event_never_runs(ready: Site) -> None:
    ready.sm(
        *("event add", "holiday", "--type", "backup", "--task", "etc"),
        *("--priority", 9, "--blocking"),
    )
    ready.sm("event run", "holiday", code=2)


@pytest.mark.parametrize("kind", ["migration", "replication"])
def test_what_is_not_there_yet_says_so(ready: Site, kind: str) -> None:
    ready.sm("event add", "later", "--type", kind, "--task", "etc")
    done = ready.sm("event run", "later", code=10)
    assert f"{kind} is not available yet" in done.err


def test_a_command_runs_with_its_arguments_and_is_logged(ready: Site) -> None:
    program(ready, "say", '#!/bin/sh\necho "said: $1 $2"\necho odd >&2\nexit $3\n')
    for code, state in ((0, "ok"), (3, "warning"), (7, "error")):
        name = f"say{code}"
        ready.sm(
            *("event add", name, "--type", "command", "--command", "say"),
            *("--argument", "one", "--argument", "two words", "--argument", code),
        )
        (job,) = ready.json("event run", name)
        (ended,) = ready.json("job wait", job["job"], code=None)
        assert (ended["state"], ended["exit_code"]) == (state, code)
        log = ready.sm("job log", job["job"]).out
        assert "said: one two words" in log
        assert "odd" in log


def test_a_command_is_ended_by_its_time_limit_and_by_cancel(ready: Site) -> None:
    program(ready, "sleep", "#!/bin/sh\nsleep 1000\n")
    ready.sm("event add", "sleep", "--type", "command", "--command", "sleep")
    (job,) = ready.json("event run", "sleep")
    while ready.json("job show", job["job"])["state"] == "queued":
        pass
    ready.sm("job cancel", job["job"])
    (ended,) = ready.json("job wait", job["job"], code=None)
    assert ended["state"] == "cancelled"


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o644])
def test_a_program_that_others_may_change_is_not_run(ready: Site, mode: int) -> None:
    path = program(ready, "weak", "#!/bin/sh\n", mode)
    message = refused(ready, "x", "--type", "command", "--command", "weak")
    assert os.fspath(path) in message
