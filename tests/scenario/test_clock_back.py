"""Clocks that go back, leap or rehearse: nothing starts twice, nothing is lost."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from chains import audited
from conftest import Site

Row = dict


def at(site: Site, moment: str) -> Site:
    return replace(site, env={**site.env, "SESAM_NOW": f"{moment}+00:00"})


def ticked(site: Site, code: int = 0) -> str:
    """Tick, wait for what was started, and return what the tick said is wrong."""
    err = site.sm("sepuler tick", code=code).err
    for job in site.json("job list"):
        if job["state"] in ("queued", "active"):
            site.sm("job wait", job["job"], code=None)
    return "".join(line for line in err.splitlines(True) if "rehearsal" not in line)


def rows(site: Site, first: str, last: str) -> list[Row]:
    found = site.json("sepuler calendar", "--from", first, "--until", last)
    return [row for row in found if row["event"] != "NEWDAY"]


def jobs(site: Site) -> int:
    return len([one for one in site.json("job list") if one["type"] == "command"])


@pytest.fixture
def ready(tmp_path: Path) -> Site:
    """A program each six hours, and one of priority 2 on the 30th; it is the 28th."""
    noon = at(Site(tmp_path / "site"), "2026-10-28T12:00:00")
    noon.sm("setup init", "--zone", "UTC")
    path = noon.root / "etc/commands.d/note"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    command = ("--type", "command", "--command", "note")
    noon.sm("schedule add", "Often", "--start", "00:00", "--every", "6h")
    noon.sm("event add", "often", "--schedule", "Often", *command)
    noon.sm("schedule add", "Once", "--start", "09:00", "--once", "2026-10-30")
    noon.sm("event add", "once", "--schedule", "Once", "--priority", 2, *command)
    noon.sm("schedule add", "Late", "--start", "20:00", "--once", "2026-10-30")
    noon.sm("event add", "block", "--schedule", "Late", "--priority", 3, "--blocking",
            *command)  # fmt: skip
    assert ticked(noon) == ""
    return noon


def test_what_was_decided_too_early_is_decided_again(ready: Site) -> None:
    early = at(ready, "2026-10-30T10:00:00")
    ticked(early)
    assert {row["state"] for row in rows(early, "2026-10-29", "2026-10-30")} == {
        "ok", "expired", "blocked", "blocking",
    }  # fmt: skip
    back = at(ready, "2026-10-28T12:30:00")
    said = ticked(back, code=3)
    assert "the clock went back from 2026-10-30T10:00" in said
    assert "deletions are paused" in said
    assert ticked(back) == ""
    found = rows(back, "2026-10-28", "2026-10-30")
    begun = [row for row in found if row["start_at"] > "2026-10-28T12:30"]
    assert {row["state"] for row in begun} == {"ok", "planned", "blocked", "blocking"}
    assert {row["start_at"][:13] for row in begun if row["job"]} == {"2026-10-30T06"}
    assert [name for name, _ in audited(back, "take back")] == ["calendar"]
    before = jobs(back)
    for moment in ("28T18:00:01", "29T00:00:01", "29T06:00:01", "30T10:00:00"):
        ticked(at(back, f"2026-10-{moment}"))
    late = rows(at(back, "2026-10-30T10:00:01"), "2026-10-28", "2026-10-30")
    found = [row for row in late if row["start_at"] < "2026-10-30T10:00"]
    assert max(Counter((row["event"], row["start_at"]) for row in found).values()) == 1
    assert jobs(back) - before == 3
    assert [row["state"] for row in found if row["event"] == "once"] == ["blocked"]


def test_ten_minutes_are_no_leap(ready: Site) -> None:
    ticked(at(ready, "2026-10-28T18:05:00"))
    assert jobs(ready) == 1
    back = at(ready, "2026-10-28T17:56:00")
    assert ticked(back) == ""
    assert audited(back, "take back") == []
    assert ticked(at(ready, "2026-10-28T18:01:00")) == ""
    assert jobs(ready) == 1


def test_a_year_ahead_does_not_silence_a_site(ready: Site) -> None:
    wrong = at(ready, "2028-01-01T12:00:00")
    assert "leapt ahead" in ticked(wrong, code=3)
    wrong.sm("schedule add", "New", "--start", "20:00")
    wrong.sm("event add", "new", "--schedule", "New", "--type", "command",
             "--command", "note")  # fmt: skip
    started = jobs(wrong)
    back = at(ready, "2026-10-28T17:00:00")
    ticked(back, code=3)
    ticked(at(ready, "2026-10-28T20:00:01"))
    found = rows(back, "2026-10-28", "2026-10-28")
    ok = {(row["event"], row["start_at"][11:13]) for row in found if row["job"]}
    assert ok == {("often", "18"), ("new", "20")}
    assert jobs(back) == started + 2
    # More than a thousand were one row: the days to come are planned as before.
    ahead = rows(back, "2026-10-29", "2026-10-29")
    assert {row["state"] for row in ahead} == {"planned"}
    assert len(ahead) == 5


def test_a_site_that_has_ticked_rehearses_nothing(site: Site) -> None:
    site.sm("sepuler tick")
    moved = at(site, "2031-01-01T12:00:00")
    for words in (
        *("sepuler tick", "newday run", "newday run --dry-run"),
        "setup check --repair --delete-unknown",
    ):
        done = moved.sm(words, "--format", "json", code=None)
        if words.startswith("setup"):
            continue  # nothing is unknown
        done = moved.sm(words, code=12)
        assert "SESAM_NOW" in done.err
    site.sm("sepuler tick")


def test_a_rehearsal_site_ticks_under_it_alone(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC")
    at(site, "2031-01-01T12:00:00").sm("sepuler tick")
    assert "rehearses" in site.sm("sepuler tick", code=12).err
    assert "rehearses" in site.sm("newday run", code=12).err
    at(site, "2031-01-01T12:01:00").sm("sepuler tick")
