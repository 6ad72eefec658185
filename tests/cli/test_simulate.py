"""sepuler simulate: the worked examples of the original, from the shell."""

from pathlib import Path

import pytest
from conftest import Site
from trees import small_tree

KEYS = {
    *("backup_day", "start_at", "event", "type", "object", "group", "schedule"),
    *("priority", "level", "state", "reason", "by", "job"),
}


@pytest.fixture
def planned(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "Europe/Berlin")
    source = small_tree(tmp_path / "source", 3)
    for task in ("stratum1_etc", "other"):
        site.sm("task add", task, "--source", source)
    site.sm("task group add", "nightly", "--task", "stratum1_etc", "--task", "other")
    for name, start, *rule in (
        ("Daily", "20:00"),
        ("Weekly", "18:00", "--weekly", "sat,sun"),
        ("Monthly", "21:00", "--monthly", "-1"),
    ):
        site.sm("schedule add", name, "--start", start, *rule, "--from", "2026-01-01")
    for name, level, priority in (
        ("Daily", "INCR", 1),
        ("Weekly", "DIFF", 2),
        ("Monthly", "FULL", 3),
    ):
        site.sm(
            *("event add", name, "--type", "backup", "--schedule", name),
            *("--task", "stratum1_etc", "--level", level, "--priority", priority),
        )
    return site


def rows(site: Site, first: str, last: str, *more: object) -> list[dict]:
    found = site.json("sepuler simulate", "--from", first, "--until", last, *more)
    return [row for row in found if row["event"] != "NEWDAY"]


def states(site: Site, day: str) -> dict[str, str]:
    return {row["event"]: row["state"] for row in rows(site, day, day)}


def test_weekend_month_end_and_both(planned: Site) -> None:
    assert states(planned, "2026-10-24") == {"Weekly": "planned", "Daily": "suppressed"}
    assert states(planned, "2026-11-30") == {
        "Daily": "suppressed",
        "Monthly": "planned",
    }
    both = rows(planned, "2026-10-31", "2026-10-31")
    assert [(row["event"], row["state"]) for row in both] == [
        ("Weekly", "suppressed"),
        ("Daily", "suppressed"),
        ("Monthly", "planned"),
    ]
    first = both[0]
    assert set(first) == KEYS
    assert first["start_at"] == "2026-10-31T18:00:00+01:00"
    assert first["by"] == "Monthly"
    assert first["reason"] == (
        "suppressed: Monthly, priority 3, is planned for 21:00 the same backup day"
    )


def test_rows_of_some_events_and_tasks_are_decided_as_all(planned: Site) -> None:
    day = ("2026-10-31", "2026-10-31")
    (only,) = rows(planned, *day, "--event", "Daily")
    assert (only["event"], only["state"]) == ("Daily", "suppressed")
    assert rows(planned, *day, "--task", "other") == []
    planned.sm(
        "event add", "all", "--type", "backup", "--schedule", "Daily",
        "--group", "nightly",
    )  # fmt: skip
    (other,) = rows(planned, *day, "--task", "other")
    assert (other["event"], other["group"]) == ("all", "nightly")
    assert other["state"] == "planned"


def test_holidays_block(planned: Site) -> None:
    planned.sm("schedule calendar add", "holidays", "--date", "2026-10-29")
    planned.sm("schedule add", "free", "--start", "00:30", "--calendar", "holidays")
    planned.sm(
        "event add", "no backup", "--type", "backup", "--schedule", "free",
        "--task", "stratum1_etc", "--priority", 9, "--blocking",
    )  # fmt: skip
    # 00:30 belongs to the backup day before.
    assert states(planned, "2026-10-28") == {
        "Daily": "blocked",
        "no backup": "blocking",
    }
    planned.sm("schedule off", "free")
    assert states(planned, "2026-10-28") == {"Daily": "planned", "no backup": "off"}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--from", "2026-10-02", "--until", "2026-10-01"], 2),
        (["--from", "2026-10-02"], 2),
        (["--from", "soon", "--until", "2026-10-01"], 2),
        (["--from", "2026-10-01", "--until", "2026-10-01", "--event", "Dayly"], 10),
        (["--from", "2026-10-01", "--until", "2026-10-01", "--task", "ect"], 10),
    ],
)
def test_what_cannot_be_is_said(planned: Site, more: list[str], code: int) -> None:
    planned.sm("sepuler simulate", *more, code=code)
