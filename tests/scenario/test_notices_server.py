"""Scripts, alarms, days, status and audit of a site whose catalog is on a server."""

from pathlib import Path

from conftest import Site
from postgres import Postgres
from prometheus_client.parser import text_string_to_metric_families
from telling import put, told
from trees import small_tree


def test_a_site_on_a_server_tells_and_reports_the_same(
    tmp_path: Path, postgres: Postgres
) -> None:
    env = {"SESAM_DATABASE_URL": postgres.database()}
    site = Site(tmp_path / "site", env)
    site.sm("setup init", "--zone", "UTC")
    alarm, notify = put(site, "sm_alarm"), put(site, "sm_notify")
    put(site, "sbc_pre", "#!/bin/sh\nexit 1\n")
    site.sm("task add", "t", "--source", small_tree(tmp_path / "source", 3))
    site.sm("task add", "bad", "--source", "/nowhere/at/all", "--rpo", 1)
    assert site.json("backup start", "t", code=3)["state"] == "warning"
    site.sm("backup start", "bad", code=51)
    states = [one["state"] for one in told(notify, 2)]
    assert states == ["warning", "error"]
    site.sm("event off", "NEWDAY", "--force")
    ticks = [site.popen("sepuler tick") for _ in range(8)]
    for one in ticks:
        one.communicate()
        assert one.returncode == 0
    assert told(alarm, 1)[0]["kind"] == "newday"
    site.sm("newday run")
    assert site.json("newday list") == []
    found = site.json("status")
    assert [one["task"] for one in found["rpo"]] == ["bad"]
    text = site.sm("status", "--prometheus").out
    assert list(text_string_to_metric_families(text))
    whats = [row["what"] for row in site.json("report audit", "--object", "t")]
    assert whats == ["add task", "start backup"]
