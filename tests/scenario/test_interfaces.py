"""Scripts of the admin around jobs: what they are told, and what becomes of the job."""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import BIN, Site
from halting import halted_backup, until, worker_of
from trees import small_tree


@pytest.fixture
def ready(site: Site, tmp_path: Path) -> Site:
    """A site with the task `t`."""
    site.sm("task add", "t", "--source", small_tree(tmp_path / "source", 3))
    return site


def put(site: Site, name: str, text: str, mode: int = 0o755) -> Path:
    """Lay a script of the shell into etc/interface.d."""
    path = site.root / "etc/interface.d" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def told(site: Site, name: str) -> str:
    """Let a script write what it is told into a file; return the file's name."""
    path = site.root / name
    put(site, name, f'echo "$SESAM_STATE|$SESAM_PRE_EXIT" >> {path}; cat > {path}.json')
    return str(path)


def is_gone(file: Path) -> bool:
    """Tell whether the process whose number is in a file has ended."""
    try:
        stat = Path(f"/proc/{int(file.read_text())}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def last(site: Site) -> dict:
    return site.json("job list")[-1]


def log(site: Site) -> str:
    return site.sm("job log", last(site)["job"]).out


def test_a_pre_and_a_post_are_told_what_is_saved(ready: Site) -> None:
    pre, post = told(ready, "sbc_pre"), told(ready, "sbc_post")
    done = ready.json("backup start", "t")
    facts = json.loads(Path(pre + ".json").read_text())
    (client,) = [one["name"] for one in ready.json("client list")]
    assert facts == {
        "interface": "sbc_pre",
        "site": facts["site"],
        "job": done["job"],
        "type": "backup",
        "backup_day": done["backup_day"],
        "task": "t",
        "client": client,
        "ssh": "",
        "saveset": done["saveset"],
        "level": "FULL",
        "base": None,
        "pool": "DISK",
    }
    more = json.loads(Path(post + ".json").read_text())
    assert more.pop("message").startswith("7 objects")
    assert more == {**facts, "interface": "sbc_post", "state": "ok", "pre_exit": 0}
    assert Path(pre).read_text() == "|\n"
    assert Path(post).read_text() == "ok|0\n"
    assert f"runs {ready.root}/etc/interface.d/sbc_pre" in log(ready)


def test_what_scripts_say_is_in_the_log_of_the_job(ready: Site) -> None:
    put(ready, "sbc_pre", "echo stops the database; printf 'no newline' >&2")
    ready.sm("backup start", "t")
    assert " sbc_pre: stops the database\n" in log(ready)
    assert " sbc_pre: no newline\n" in log(ready)


def test_a_pre_that_ends_with_1_makes_a_warning(ready: Site) -> None:
    put(ready, "sbc_pre", "exit 1")
    post = told(ready, "sbc_post")
    done = ready.json("backup start", "t", code=3)
    assert (done["state"], last(ready)["state"]) == ("warning", "warning")
    assert Path(post).read_text() == "warning|1\n"
    # The saveset is as good as it is.
    assert [one["state"] for one in ready.json("backup list")] == ["ok"]


def test_a_pre_that_refuses_leaves_nothing_and_its_post_runs(ready: Site) -> None:
    put(ready, "sbc_pre", "exit 7")
    post = told(ready, "sbc_post")
    done = ready.sm("backup start", "t", "--format", "json", code=60)
    assert done.error["error"] == "InterfaceRefused"
    assert done.error["message"] == "sbc_pre refuses: it ended with exit code 7"
    assert Path(post).read_text() == "error|7\n"
    assert os.listdir(ready.store()) == [".sesam-store"]
    assert (last(ready)["state"], last(ready)["exit_code"]) == ("error", 60)


@pytest.mark.parametrize("name", ["sbc_pre", "sbc_post"])
def test_a_script_that_cannot_be_run_is_told_in_a_sentence(
    ready: Site, name: str
) -> None:
    path = put(ready, name, "exit 0", mode=0o644)
    code = 61 if name == "sbc_pre" else 62
    said = ready.sm("backup start", "t", code=code).err
    assert f'"{path}" is no program' in said
    assert f'"{path}" is no program' in log(ready)
    assert last(ready)["state"] == "error"
    kept = [one["state"] for one in ready.json("backup list")]
    assert kept == ([] if name == "sbc_pre" else ["ok"])
    path.chmod(0o777)
    assert "may be changed by others" in ready.sm("backup start", "t", code=code).err
    path.unlink()
    path.symlink_to("nowhere")
    assert "no such file" in ready.sm("backup start", "t", code=code).err


def test_a_post_that_fails_fails_the_job_and_keeps_the_saveset(ready: Site) -> None:
    put(ready, "sbc_post", "echo cannot start; exit 5")
    said = ready.sm("backup start", "t", code=62).err
    (saveset,) = ready.json("backup list")
    assert "sbc_post ended with exit code 5" in said
    assert f"saveset {saveset['saveset']} is kept" in said
    assert (saveset["state"], last(ready)["state"]) == ("ok", "error")
    assert last(ready)["exit_code"] == 62
    put(ready, "sbc_post", "exit 1")
    assert ready.json("backup start", "t", code=3)["state"] == "warning"


def test_a_post_runs_after_a_backup_that_failed(ready: Site, tmp_path: Path) -> None:
    put(ready, "sbc_pre", f"mv {tmp_path}/source {tmp_path}/away")
    post = told(ready, "sbc_post")
    ready.sm("backup start", "t", code=51)
    assert Path(post).read_text() == "error|0\n"
    assert (
        "no source can be read"
        in json.loads(Path(post + ".json").read_text())["message"]
    )


def test_an_error_says_that_the_post_failed_as_well(
    ready: Site, tmp_path: Path
) -> None:
    put(ready, "sbc_pre", f"mv {tmp_path}/source {tmp_path}/away")
    put(ready, "sbc_post", "exit 9")
    said = ready.sm("backup start", "t", code=51).err
    assert "no source can be read" in said
    assert "; sbc_post ended with exit code 9" in said
    assert last(ready)["message"].endswith("; sbc_post ended with exit code 9")


def test_a_job_that_is_cancelled_in_its_pre_ends_it_and_runs_its_post(
    ready: Site,
) -> None:
    put(ready, "sbc_pre", f"sleep 300 & echo $! > {ready.root}/child; wait")
    post = told(ready, "sbc_post")
    number = ready.json("backup start", "t", "--detach")["job"]
    until((ready.root / "child").exists, "the pre runs")
    ready.sm("job cancel", number, code=None)
    ready.sm("job wait", number, code=130)
    assert Path(post).read_text() == "cancelled|\n"
    until(lambda: is_gone(ready.root / "child"), "it is gone")


def test_a_cancelled_job_whose_post_fails_is_an_error(ready: Site) -> None:
    put(ready, "sbc_pre", f"touch {ready.root}/runs; sleep 300")
    put(ready, "sbc_post", "exit 2")
    number = ready.json("backup start", "t", "--detach")["job"]
    until((ready.root / "runs").exists, "the pre runs")
    ready.sm("job cancel", number, code=None)
    ready.sm("job wait", number, code=62)
    assert "sbc_post ended with exit code 2" in last(ready)["message"]


def test_a_script_that_takes_too_long_is_ended_with_all_it_started(
    ready: Site, inside: object
) -> None:
    from sesam.interface.calling import Call, Late, call

    child = f"sleep 300 & echo $! > {ready.root}/c"
    path = put(ready, "sbc_pre", f"trap '' TERM; {child}; wait")
    said: list[str] = []
    began = time.monotonic()
    with pytest.raises(Late):
        call(Call((str(path),), {}, limit_s=0.3), said.append)
    assert time.monotonic() - began < 20
    until(lambda: is_gone(ready.root / "c"), "it is gone")


def test_what_a_script_leaves_running_is_left_alone(ready: Site) -> None:
    put(ready, "sbc_post", f"sleep 20 & echo $! > {ready.root}/c")
    began = time.monotonic()
    ready.sm("backup start", "t")
    assert time.monotonic() - began < 10
    os.kill(int((ready.root / "c").read_text()), signal.SIGTERM)


def test_the_post_of_a_killed_worker_is_run_by_whoever_ends_its_job(
    site: Site, many: Path
) -> None:
    site.sm("task add", "t", "--source", many)
    put(site, "sbc_pre", "exit 1")
    post = Path(told(site, "sbc_post"))
    number, process = halted_backup(site, "t")
    os.kill(process, signal.SIGKILL)
    assert not post.exists()
    site.sm("job wait", number, code=137)
    until(post.exists, "the post has run")
    assert post.read_text() == "error|1\n"
    until(lambda: "runs" in log(site), "it is in the log")
    # Once: nobody owes it any more.
    site.sm("setup check", "--repair", code=None)
    site.sm("sepuler tick")
    time.sleep(1.5)
    assert post.read_text() == "error|1\n"


def test_a_pre_that_outlives_its_worker_is_ended_before_the_post(ready: Site) -> None:
    put(ready, "sbc_pre", f"echo $$ > {ready.root}/pre; sleep 300")
    number = ready.json("backup start", "t", "--detach")["job"]
    until((ready.root / "pre").exists, "the pre runs")
    post = ready.root / "post"
    alive = f"kill -0 $(cat {ready.root}/pre) 2>/dev/null && echo still >> {post}"
    put(ready, "sbc_post", f"{alive}; echo post >> {post}")
    os.kill(worker_of(ready, number), signal.SIGKILL)
    ready.sm("job wait", number, code=137)
    until(post.exists, "the post has run")
    until(lambda: is_gone(ready.root / "pre"), "it is gone")
    assert ready.json("job list")[-1]["state"] == "error"


def test_a_restore_has_scripts_of_its_own(ready: Site, tmp_path: Path) -> None:
    saveset = ready.json("backup start", "t")["saveset"]
    put(ready, "res_pre", 'test "$SESAM_TASK" = t && test "$SESAM_TYPE" = restore')
    post = told(ready, "res_post")
    ready.sm("restore start", saveset, "--target", tmp_path / "back")
    facts = json.loads(Path(post + ".json").read_text())
    assert (facts["target"], facts["state"]) == (str(tmp_path / "back"), "ok")
    put(ready, "res_pre", "exit 2")
    ready.sm("restore start", saveset, "--target", tmp_path / "no", code=60)
    assert not (tmp_path / "no").exists()
    ready.sm("restore start", saveset, "--target", tmp_path / "no", "--dry-run")
    put(ready, "res_pre", "exit 0")
    put(ready, "res_post", "exit 3")
    ready.sm("restore start", saveset, "--target", tmp_path / "b2", code=62)


def test_the_example_stops_and_starts_a_database(ready: Site, tmp_path: Path) -> None:
    for name in ("sbc_pre", "sbc_post"):
        text = (BIN.parent / "examples/interface.d" / name).read_text()
        put(ready, name, text)
    database = tmp_path / "database"
    database.write_text(
        f"#!/bin/sh\ncd {tmp_path}\ncase $1 in\n"
        "stop) kill $(cat pid) && rm pid ;;\n"
        "start) sleep 300 </dev/null >/dev/null 2>&1 & echo $! > pid ;;\nesac\n"
    )
    database.chmod(0o755)
    subprocess.run([database, "start"], check=True)
    first = (tmp_path / "pid").read_text()
    with_it = replace(
        ready,
        env={
            "DATABASE_TASK": "t",
            "DATABASE_STOP": f"{database} stop",
            "DATABASE_START": f"{database} start",
        },
    )
    with_it.sm("backup start", "t")
    second = int((tmp_path / "pid").read_text())
    assert int(first) != second
    os.kill(second, signal.SIGTERM)
    assert "the database runs again; backup: ok" in log(ready)
    (tmp_path / "pid").unlink()
    with_it.sm("backup start", "t", code=60)
    assert "the database does not stop" in log(ready)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def test_a_site_without_a_place_for_scripts_is_sound(ready: Site) -> None:
    (ready.root / "etc/interface.d").rmdir()
    ready.sm("setup check")
    assert ready.json("backup start", "t")["state"] == "ok"


def test_the_time_limit_is_a_setting_of_the_site(ready: Site) -> None:
    assert ready.json("setup show")["interface_limit"] == 60
    ready.sm("setup modify", "--interface-limit", 90)
    assert ready.json("setup show")["interface_limit"] == 90
    assert ready.json("setup modify")["interface_limit"] == 90
    said = ready.sm("setup modify", "--interface-limit", 0, code=2).err
    assert "--interface-limit is 1 to 10080 minutes" in said
