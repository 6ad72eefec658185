"""A job renews what it holds, and stops when it has lost it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sesam.catalog import claims, jobs
from sesam.catalog.tables import ClaimRow, JobRow
from sesam.errors import Busy
from sesam.rules.records import Job
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.owner import JUDGE, current_owner
from sesam.terms import State

NOW = datetime(2027, 3, 28, tzinfo=UTC)


def begun(inside: Any) -> Job:
    with inside.catalog.change():
        job = jobs.enqueue("backup", "x", backup_day=NOW.date(), now=NOW)
    return jobs.start(
        inside.catalog, job.id, current_owner(), clock=lambda: NOW, log=""
    )


def until(is_so: Any) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.02)
    pytest.fail("it never came to be so")


def test_leases_move_on_while_the_job_runs(inside: Any) -> None:
    job = begun(inside)
    held = claims.claim(inside.catalog, "drive:x", current_owner(), JUDGE)
    before = JobRow.get_by_id(job.id).lease_until
    with Heartbeat(inside.catalog, job, every_s=0.02) as heartbeat:
        heartbeat.keep(lambda: [held])
        until(lambda: JobRow.get_by_id(job.id).lease_until > before)
        until(lambda: ClaimRow.get_by_id("drive:x").lease_until > held.lease_until)
        heartbeat.check()
        assert not heartbeat.stopped()


def test_a_job_that_was_taken_stops(inside: Any) -> None:
    job = begun(inside)
    with Heartbeat(inside.catalog, job, every_s=0.02) as heartbeat:
        with inside.catalog.change():
            JobRow.update(fence=JobRow.fence + 1).execute()
        until(heartbeat.stopped)
        with pytest.raises(Busy, match="taken"):
            heartbeat.check()


def test_a_drive_that_was_taken_stops_the_job(inside: Any) -> None:
    job = begun(inside)
    held = claims.claim(inside.catalog, "drive:x", current_owner(), JUDGE)
    with Heartbeat(inside.catalog, job, every_s=0.02) as heartbeat:
        heartbeat.keep(lambda: [held])
        with inside.catalog.change():
            past = inside.catalog.now() - timedelta(seconds=9)
            ClaimRow.update(lease_until=past, fence=ClaimRow.fence + 1).execute()
        until(heartbeat.stopped)


def test_a_job_that_the_catalog_tells_to_stop_does_and_keeps_its_lease(
    inside: Any,
) -> None:
    job = begun(inside)
    with Heartbeat(inside.catalog, job, every_s=0.02) as heartbeat:
        assert not heartbeat.stopped()
        with inside.catalog.change():
            assert jobs.tell_to_stop(job.id)
        until(heartbeat.stopped)
        heartbeat.check()
        with inside.catalog.change():
            jobs.finish(job, State.CANCELLED, now=NOW, message="", result={})
            assert not jobs.tell_to_stop(job.id)
    assert jobs.get_job(job.id).exit_code == jobs.CANCELLED


def test_stop_asks_for_an_end_in_good_order(inside: Any) -> None:
    with Heartbeat(inside.catalog, begun(inside)) as heartbeat:
        heartbeat.stop()
        assert heartbeat.stopped()
        heartbeat.check()
