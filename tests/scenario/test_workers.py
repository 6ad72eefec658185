"""Workers that are killed, hang, or are many at once."""

import itertools
import os
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from conftest import Site
from halting import halted_backup, is_sound, until


def test_waiting_reaps_a_worker_that_was_killed(site: Site, many: Path) -> None:
    site.sm("task add", "t", "--source", many)
    number, process = halted_backup(site, "t")
    os.kill(process, signal.SIGKILL)
    (row,) = site.json("job wait", number, code=137)
    assert (row["state"], row["message"]) == ("error", "its worker is gone")
    assert os.listdir(site.store()) == [".sesam-store"]
    is_sound(site)


def test_cancelling_a_job_whose_worker_was_killed_ends_it(
    site: Site, many: Path
) -> None:
    site.sm("task add", "t", "--source", many)
    number, process = halted_backup(site, "t")
    os.kill(process, signal.SIGKILL)
    (row,) = site.json("job cancel", number)
    assert (row["state"], row["exit_code"]) == ("cancelled", 130)
    is_sound(site)


def test_the_worker_that_hangs_is_killed_and_its_job_ended(
    site: Site, many: Path, inside: Any
) -> None:
    from datetime import timedelta

    from sesam.catalog import reaping
    from sesam.catalog.jobs import LEASE_S, get_job
    from sesam.catalog.tables import JobRow
    from sesam.service.ground import owner

    site.sm("task add", "t", "--source", many)
    running = site.popen("backup start", "t")
    until(lambda: list(site.store().glob("S*/data*")), "it writes")
    running.send_signal(signal.SIGSTOP)
    judge = reaping.Judge(owner.is_alive, owner.kill, patience_s=0.3)

    def late(seconds: float) -> list[int]:
        with inside.catalog.change():
            since = inside.catalog.now() - timedelta(seconds=seconds)
            JobRow.update(lease_until=since).execute()
        gone = reaping.reap(inside.catalog, judge, inside.clock())
        return [one.id for one in gone]

    assert late((reaping.HANGING - 2) * LEASE_S) == []
    assert running.poll() is None
    assert late((reaping.HANGING - 1) * LEASE_S + 1) == [1]
    assert running.wait(timeout=10) == -signal.SIGKILL
    running.communicate()
    ended = get_job(1)
    assert (ended.state.value, ended.exit_code) == ("error", reaping.KILLED)
    is_sound(site)


def test_a_signal_reaches_the_very_process_or_none() -> None:

    from sesam.rules.records import Owner
    from sesam.service.ground import owner

    child = subprocess.Popen(["sleep", "60"])
    me = owner.current_owner()
    with open(f"/proc/{child.pid}/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    right = Owner(me.host, me.boot, child.pid, started)
    for wrong in (
        right._replace(started=started + 1),
        right._replace(boot="other"),
        right._replace(host="other"),
    ):
        assert not owner.send(wrong, signal.SIGTERM)
    assert child.poll() is None
    assert not owner.kill(right._replace(host="other"))
    assert owner.kill(right._replace(started=started + 1))  # is gone already
    assert child.poll() is None
    assert owner.kill(right)
    assert child.wait() == -signal.SIGKILL


def test_twenty_backups_at_once_run_each_task_one_at_a_time(
    site: Site, tmp_path: Path
) -> None:
    names = ("a", "b", "c", "d")
    for name in names:
        tree = tmp_path / name
        tree.mkdir()
        for number in range(3000):
            (tree / f"{number}").write_bytes(b"%d" % number)
        site.sm("task add", name, "--source", tree)
    started = [
        (name, site.popen("backup start", name, "--format", "json"))
        for _ in range(5)
        for name in names
    ]
    codes: dict[str, list[int]] = {name: [] for name in names}
    for name, one in started:
        _, err = one.communicate(timeout=110)
        assert b"Traceback" not in err
        codes[name].append(one.returncode)
    rows = site.json("job list", "--type", "backup")
    assert len(rows) == 20
    for name in names:
        assert set(codes[name]) <= {0, 75}
        mine = [row for row in rows if row["object"] == name]
        ran = [row for row in mine if row["state"] == "ok"]
        assert len(ran) == codes[name].count(0) > 0
        assert {row["exit_code"] for row in mine if row not in ran} <= {75}
        times = sorted(
            (datetime.fromisoformat(row["started_at"]), row["ended_at"]) for row in ran
        )
        for (_, ended), (begins, _) in itertools.pairwise(times):
            assert datetime.fromisoformat(ended) <= begins
    assert any(75 in found for found in codes.values())
    assert len(site.json("backup list")) == sum(codes[name].count(0) for name in names)
    is_sound(site)
