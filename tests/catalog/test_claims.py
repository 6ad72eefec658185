"""Claims and jobs are leases: one owner at a time, and none that is gone."""

import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest
from running import DAY, NOW, running

from sesam.catalog import claims, jobs
from sesam.catalog.db import Catalog
from sesam.catalog.reaping import HANGING, Judge, reap
from sesam.catalog.tables import ClaimRow
from sesam.errors import Busy
from sesam.rules.records import Owner
from sesam.service.ground.owner import JUDGE, current_owner
from sesam.terms import State


def test_one_of_many_processes_gets_a_claim(catalog: Catalog, catalog_url: str) -> None:
    taker = (
        "import sys, time\n"
        "from sesam.catalog import claims\n"
        "from sesam.catalog.db import open_catalog\n"
        "from sesam.errors import Busy\n"
        "from sesam.service.ground.owner import JUDGE, current_owner\n"
        "catalog = open_catalog(sys.argv[1])\n"
        "try:\n"
        "    claims.claim(catalog, 'drive:x', current_owner(), JUDGE)\n"
        "    print('mine', flush=True)\n"
        "    sys.stdin.readline()\n"
        "except Busy as error:\n"
        "    print('busy', flush=True)\n"
    )
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", taker, catalog_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    said = [one.stdout.readline().strip() for one in takers if one.stdout]
    assert sorted(said) == ["busy"] * 4 + ["mine"]
    for one in takers:
        one.communicate("\n")
    # The one that held it is gone: it can be taken without waiting for the lease.
    held = claims.claim(catalog, "drive:x", current_owner(), JUDGE)
    assert held.fence == 2
    claims.release(catalog, held)
    assert claims.claim(catalog, "drive:x", current_owner(), JUDGE).fence == 3


def test_a_claim_of_another_machine_is_taken_when_its_lease_has_passed(
    catalog: Catalog,
) -> None:
    far = Owner("other-host", "boot", 1, 1)
    claims.claim(catalog, "drive:x", far, JUDGE)
    with pytest.raises(Busy, match="another machine"):
        claims.claim(catalog, "drive:x", current_owner(), JUDGE)
    with catalog.change():
        past = catalog.now() - timedelta(seconds=1)
        ClaimRow.update(lease_until=past).execute()
    assert claims.claim(catalog, "drive:x", current_owner(), JUDGE).fence == 2


def test_a_holder_that_hangs_is_killed_before_its_thing_is_taken(
    catalog: Catalog,
) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    with open(f"/proc/{sleeper.pid}/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    me = current_owner()
    claims.claim(
        catalog, "drive:x", Owner(me.host, me.boot, sleeper.pid, started), JUDGE
    )
    sleeper.send_signal(signal.SIGSTOP)
    judge = Judge(JUDGE.is_alive, JUDGE.kill, patience_s=0.1)
    for lease_times, gone in ((HANGING - 2, False), (HANGING, True)):
        with catalog.change():
            past = catalog.now() - timedelta(seconds=lease_times * jobs.LEASE_S)
            ClaimRow.update(lease_until=past).execute()
        if gone:
            assert claims.claim(catalog, "drive:x", me, judge).fence == 2
            assert sleeper.wait(timeout=10) == -signal.SIGKILL
        else:
            with pytest.raises(Busy, match=f"process {sleeper.pid}"):
                claims.claim(catalog, "drive:x", me, judge)


def test_a_holder_that_renews_meanwhile_is_left_alone(catalog: Catalog) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    with open(f"/proc/{sleeper.pid}/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    me = current_owner()
    holder = Owner(me.host, me.boot, sleeper.pid, started)
    held = claims.claim(catalog, "drive:x", holder, JUDGE)
    with catalog.change():
        past = catalog.now() - timedelta(seconds=HANGING * jobs.LEASE_S)
        ClaimRow.update(lease_until=past).execute()

    def late_beat() -> None:
        # As on a machine that has slept: it comes a little later.
        claims.renew(catalog, held)
        catalog.close()

    beat = threading.Timer(0.1, late_beat)
    beat.start()
    with pytest.raises(Busy):
        claims.claim(catalog, "drive:x", me, Judge(JUDGE.is_alive, JUDGE.kill, 1.0))
    beat.join()
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_job_whose_worker_is_gone_is_ended_and_a_living_ones_is_not(
    catalog: Catalog,
) -> None:
    mine = running(catalog, "mine")
    me = current_owner()
    dead = Owner(me.host, me.boot, me.pid, me.started + 1)
    lost = running(catalog, "lost", dead)
    assert [job.id for job in reap(catalog, JUDGE, NOW)] == [lost.id]
    assert jobs.get_job(lost.id).state is State.ERROR
    assert jobs.get_job(mine.id).state is State.ACTIVE
    with pytest.raises(Busy, match="taken"), catalog.change():
        jobs.finish(lost, State.OK, now=NOW, message="", result={})
    assert jobs.renew(catalog, mine)
    assert not jobs.renew(catalog, lost)


def test_the_same_object_is_worked_on_once(catalog: Catalog) -> None:
    first = running(catalog)
    with pytest.raises(Busy, match=f"job {first.id}"):
        running(catalog)
    with catalog.change():
        jobs.finish(first, State.OK, now=NOW, message="", result={})
    running(catalog)


def test_a_start_is_read_when_no_other_job_of_the_object_can_run_any_more(
    catalog: Catalog,
) -> None:
    def clock() -> datetime:
        assert [one.object for one in jobs.active_jobs()] == ["etc"]
        return NOW

    with catalog.change():
        job = jobs.enqueue("backup", "etc", backup_day=DAY, now=NOW)
    begun = jobs.start(catalog, job.id, current_owner(), clock=clock, log="/log")
    assert begun.started_at == NOW
