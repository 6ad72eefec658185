"""`sepuler run`, and the units that let systemd run it."""

import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Site
from halting import until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def ready(tmp_path: Path) -> Site:
    noon = replace(
        Site(tmp_path / "site"), env={"SESAM_NOW": "2026-10-28T12:00:00+00:00"}
    )
    noon.sm("setup init", "--zone", "UTC")
    path = noon.root / "etc/commands.d/nap"
    path.write_text("#!/bin/sh\nsleep $1\n")
    path.chmod(0o755)
    noon.sm("schedule add", "Soon", "--start", "12:05")
    more = ("--command", "nap", "--schedule", "Soon", "--argument", 2)
    noon.sm("event add", "nap", "--type", "command", *more)
    return noon


def states(site: Site) -> list[str]:
    rows = site.json("sepuler calendar", "--day", "2026-10-28")
    return [row["state"] for row in rows if row["event"] == "nap"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_to_the_second_and_ends_when_told(ready: Site, number: int) -> None:
    ready = replace(ready, env={"SESAM_NOW": "2026-10-28T12:04:56+00:00"})
    running = ready.popen("sepuler run")
    until(lambda: states(ready) == ["active"], "it has started")
    started = ready.json("sepuler calendar", "--day", "2026-10-28")
    (row,) = [one for one in started if one["event"] == "nap"]
    job = ready.json("job show", row["job"])
    assert "12:05:00" <= job["started_at"][11:19] <= "12:05:04"
    running.send_signal(number)
    out, err = running.communicate(timeout=10)
    assert (running.returncode, out) == (0, b"")
    assert err.count(b"\n") == 1  # that it rehearses
    # Its worker goes on.
    ready.sm("job wait", row["job"])
    assert states(ready) == ["ok"]


def test_the_wrong_kind_of_clock_ends_it(ready: Site) -> None:
    ready.sm("sepuler tick")
    assert "rehearses" in replace(ready, env={}).sm("sepuler run", code=12).err


def test_it_outlives_a_catalog_that_is_busy_and_reads_what_changes(
    ready: Site,
) -> None:
    import sqlite3

    url = f"sqlite:///{ready.root}/var/db/sesam.db?timeout=0.1"
    env = {"SESAM_NOW": "2026-10-28T12:04:58+00:00", "SESAM_DATABASE_URL": url}
    ready.sm("sepuler tick")
    lock = sqlite3.connect(ready.root / "var/db/sesam.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    running = replace(ready, env=env).popen("sepuler run")
    assert running.stderr is not None
    os.set_blocking(running.stderr.fileno(), False)
    said = b""
    for _ in range(100):
        said += running.stderr.read() or b""
        if b"catalog" in said:
            break
        time.sleep(0.1)
    lock.execute("ROLLBACK")
    lock.close()
    until(lambda: states(ready) == ["ok"], "it has gone on")
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=10) == 0
    running.communicate()


UNITS = sorted(EXAMPLES.glob("sepuler*"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    for one in UNITS:
        text = re.sub(r"/usr/local/bin/sepuler", "/bin/true", one.read_text())
        (tmp_path / one.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
         tmp_path / unit.name],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    if unit.suffix == ".service":
        assert "KillMode=process" in unit.read_text()
