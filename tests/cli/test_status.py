"""The site at a glance, for people, for Nagios and for Prometheus."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from chains import execute, full
from conftest import Site
from prometheus_client.parser import text_string_to_metric_families
from telling import put
from trees import small_tree


@pytest.fixture
def saved(site: Site, tmp_path: Path) -> Site:
    """A site with a saveset of the task `tree`, whose RPO is a day."""
    full(site, small_tree(tmp_path / "source", 3), "tree", "--rpo", "24")
    return site


def metrics(site: Site) -> dict[tuple[str, ...], float]:
    """What Prometheus reads: value by name and label values."""
    text = site.sm("status", "--prometheus").out
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def nagios(site: Site, code: int) -> str:
    line = site.sm("status", "--nagios", code=code).out
    assert line.count("\n") == 1
    return line


def test_a_site_that_is_well(saved: Site) -> None:
    saved.sm("sepuler tick")
    found = saved.json("status")
    assert found == {**saved.json("sepuler status"), "at": found["at"]} | {
        "stores": found["stores"]
    }
    assert (found["state"], found["problems"], found["alarms"]) == ("ok", [], [])
    assert (found["queued"], found["active"], found["paused"]) == (0, 0, None)
    assert found["last_tick_at"][:13] == found["at"][:13]
    (task,) = found["rpo"]
    assert (task["task"], task["rpo"], task["over"]) == ("tree", 24, False)
    (store,) = found["stores"]
    assert (store["store"], store["problem"]) == ("default", None)
    assert store["used_bytes"] < store["size_bytes"]
    assert nagios(saved, 0).startswith(
        f"SESAM OK - backup day {found['backup_day']}, 0 active, 0 queued | active=0 "
    )
    assert "tree" in saved.sm("status").out


def test_what_is_wrong_is_said_and_how_bad_it_is(saved: Site, tmp_path: Path) -> None:
    saved.sm("media store modify", "default", "--low-water", 0, "--high-water", 0)
    line = nagios(saved, 1)
    assert line.startswith('SESAM WARNING - data store "default": ')
    assert "% of its disk is used | active=0 queued=0 over_rpo=0" in line
    saved.sm("event off", "NEWDAY", "--force")
    assert "NEWDAY is switched off" in nagios(saved, 1)
    saved.store().rename(tmp_path / "away")
    assert nagios(saved, 2).startswith("SESAM CRITICAL - ")
    assert [one["state"] for one in saved.json("status")["problems"]] == [
        *("warning", "critical"),
    ]
    assert metrics(saved)["sesam_store_usable", "default"] == 0


def test_a_task_over_its_rpo_is_critical(saved: Site) -> None:
    ago = datetime.now().astimezone() - timedelta(days=2)
    execute(saved, "UPDATE saveset SET started_at = ?", ago.isoformat())
    assert "task tree: its last good saveset started" in nagios(saved, 2)
    assert metrics(saved)["sesam_task_over_rpo", "tree"] == 1


def test_ticks_that_stop_are_noticed(saved: Site) -> None:
    saved.sm("sepuler tick")
    saved.sm("schedule add", "daily", "--start", "20:00")
    nagios(saved, 0)

    def ticked(minutes: int) -> None:
        ago = datetime.now().astimezone() - timedelta(minutes=minutes)
        execute(
            *(saved, "UPDATE site SET value = ? WHERE key = 'ticked_at'"),
            ago.isoformat(),
        )

    ticked(20)
    assert "the last tick was 20 minutes ago" in nagios(saved, 1)
    ticked(90)
    assert "the last tick was 90 minutes ago" in nagios(saved, 2)
    execute(saved, "DELETE FROM site WHERE key = 'ticked_at'")
    nagios(saved, 0)
    saved.sm(
        *("event add", "e", "--type", "backup", "--task", "tree"),
        *("--schedule", "daily"),
    )
    assert "nothing ever ticked" in nagios(saved, 1)


def test_jobs_and_decisions_of_today(saved: Site) -> None:
    saved.sm("task add", "bad", "--source", "/nowhere/at/all")
    saved.sm("event add", "e", "--type", "backup", "--task", "bad")
    saved.sm("backup start", "bad", code=51)
    assert "jobs of today that ended as error: 1 (bad)" in nagios(saved, 1)


def test_nagios_hears_of_a_site_that_cannot_be_read(tmp_path: Path) -> None:
    line = nagios(Site(tmp_path / "nowhere"), 3)
    assert line.startswith("SESAM UNKNOWN - there is no catalog at ")


def test_prometheus_reads_what_is_written(saved: Site) -> None:
    odd = 'we"ird\\one'
    saved.sm("task add", "odd", "--source", "/etc/hostname", "--rpo", 1)
    execute(saved, "UPDATE task SET name = ? WHERE name = 'odd'", odd)
    put(saved, "sm_alarm", "#!/bin/sh\nexit 9\n")
    saved.sm("event off", "NEWDAY", "--force")
    saved.sm("sepuler tick")
    found = metrics(saved)
    assert found["sesam_status",] == 1
    assert found["sesam_jobs", "active"] == found["sesam_jobs", "queued"] == 0
    assert found["sesam_task_rpo_seconds", odd] == 3600
    assert found["sesam_alarms", "newday"] == 1
    assert found["sesam_deletions_paused",] == 0
    started = saved.json("backup list")[0]["started_at"]
    last = found["sesam_task_last_good_timestamp_seconds", "tree"]
    assert int(last) == int(datetime.fromisoformat(started).timestamp())
    disk = os.statvfs(saved.root)
    assert found["sesam_store_size_bytes", "default"] == disk.f_blocks * disk.f_frsize
    assert found["sesam_store_high_water_ratio", "default"] == pytest.approx(0.95)
    assert saved.sm("status", "--prometheus", "--nagios", code=2).out == ""


def test_a_status_changes_nothing(saved: Site) -> None:
    before = (saved.root / "var/db/sesam.db").read_bytes()
    for option in ([], ["--nagios"], ["--prometheus"]):
        replace(saved).sm("status", *option, code=None)
    assert (saved.root / "var/db/sesam.db").read_bytes() == before
