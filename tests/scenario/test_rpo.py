"""Silence is noticed: a task without a good saveset within its RPO."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Site
from telling import put, ticked, told
from trees import small_tree

START = datetime(2027, 3, 1, 12, tzinfo=UTC)
At = Callable[[float], Site]


@pytest.fixture
def at(tmp_path: Path) -> At:
    """A site so many hours after its beginning."""

    def moved(hours: float) -> Site:
        moment = START + timedelta(hours=hours)
        return Site(tmp_path / "site", {"SESAM_NOW": moment.isoformat()})

    site = moved(0)
    site.sm("setup init", "--zone", "Europe/Berlin")
    site.sm("task add", "t", "--source", small_tree(tmp_path / "source", 3))
    return moved


def test_a_task_over_its_rpo_is_an_alarm_until_it_is_good_again(
    at: At, tmp_path: Path
) -> None:
    kept = put(at(0), "sm_alarm")
    at(0).sm("backup start", "t")
    at(1).sm("task modify", "t", "--rpo", 24)
    ticked(at(23.9))
    assert not kept.exists()
    for hours in (24.1, 24.2, 30):
        ticked(at(hours))
    (one,) = told(kept, 1)
    assert (one["kind"], one["object"], one["state"]) == ("rpo", "t", "alarm")
    begins = "task t: its last good saveset started 2027-03-01T13:00"
    assert one["text"].startswith(begins)
    assert one["text"].endswith("+01:00, its RPO is 24 hours")
    # One that fails is no good saveset.
    (tmp_path / "source").rename(tmp_path / "away")
    at(40).sm("backup start", "t", code=51)
    ticked(at(49))
    assert told(kept, 2)[1]["state"] == "reminder"
    (tmp_path / "away").rename(tmp_path / "source")
    at(50).sm("backup start", "t")
    ticked(at(50.1))
    assert told(kept, 3)[2]["state"] == "over"
    ticked(at(51))
    told(kept, 3)


def test_a_task_that_was_never_saved_has_its_rpo_from_when_it_was_set(at: At) -> None:
    kept = put(at(0), "sm_alarm")
    at(100).sm("task modify", "t", "--rpo", 12)
    ticked(at(111))
    assert not kept.exists()
    ticked(at(112.1))
    assert "it has none since 2027-03-05T17:00" in told(kept, 1)[0]["text"]
    at(113).sm("task modify", "t", "--rpo", 0)
    ticked(at(113))
    assert told(kept, 2)[1]["state"] == "over"


def test_a_task_that_is_removed_is_missed_no_longer(at: At) -> None:
    kept = put(at(0), "sm_alarm")
    at(0).sm("task add", "u", "--source", "/etc/hostname", "--rpo", 1)
    ticked(at(2))
    told(kept, 1)
    at(3).sm("task remove", "u", "--yes")
    ticked(at(3))
    assert told(kept, 2)[1]["state"] == "over"


def test_an_rpo_is_a_number_of_hours(at: At) -> None:
    assert at(0).json("task show", "t")["rpo"] == 0
    assert at(0).json("task modify", "t", "--rpo", 48)["rpo"] == 48
    said = at(0).sm("task modify", "t", "--rpo", -1, code=2).err
    assert "--rpo is 0, for none, to 99999 hours" in said
