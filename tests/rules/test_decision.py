"""Priority, equality and blocking: the worked examples of the original, and laws."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesam.rules.decision import Decision, EventType, Occurrence, Verdict, decide

ZONE = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 10, 31, tzinfo=ZONE)
TASK = "stratum1_etc"
MINUTE = timedelta(minutes=1)


def at(event: str, hour: int, priority: int, task: str = TASK) -> Occurrence:
    moment = NIGHT + timedelta(hours=hour)
    return Occurrence(event, EventType.BACKUP, task, event, moment, priority)


DAILY = at("Daily", 20, 1)
WEEKLY = at("Weekly", 18, 2)
MONTHLY = at("Monthly", 21, 3)


def of_day(*day: Occurrence) -> dict[str, Decision]:
    return {one.event: decide(one, day, ZONE) for one in day}


def running(*day: Occurrence) -> list[str]:
    found = of_day(*day)
    return [name for name, one in found.items() if one.verdict is Verdict.RUNS]


def test_on_a_weekend_only_weekly_runs() -> None:
    assert running(DAILY, WEEKLY) == ["Weekly"]


def test_at_the_end_of_a_month_only_monthly_runs() -> None:
    assert running(DAILY, MONTHLY) == ["Monthly"]


def test_both_at_once_only_monthly_runs_though_it_comes_last() -> None:
    found = of_day(DAILY, WEEKLY, MONTHLY)
    assert running(DAILY, WEEKLY, MONTHLY) == ["Monthly"]
    for name in ("Daily", "Weekly"):
        assert found[name] == Decision(
            Verdict.SUPPRESSED,
            "Monthly",
            "suppressed: Monthly, priority 3, is planned for 21:00 the same backup day",
        )


def test_equal_priorities_all_run() -> None:
    other = at("Other", 22, 1)
    assert running(DAILY, other) == ["Daily", "Other"]


def test_another_task_or_type_is_not_equal() -> None:
    other = at("Other", 22, 9, task="another")
    migration = Occurrence(
        "Move", EventType.MIGRATION, TASK, "Move", NIGHT + timedelta(hours=9), 9
    )
    assert running(DAILY, other, migration) == ["Daily", "Other", "Move"]


def test_priority_0_is_never_compared() -> None:
    free = at("Free", 19, 0)
    assert running(free, DAILY, MONTHLY) == ["Free", "Monthly"]
    assert running(free, DAILY) == ["Free", "Daily"]


@pytest.mark.parametrize("hour", [0, 9, 19, 23, 30])
def test_a_blocking_event_blocks_whatever_its_hour(hour: int) -> None:
    block = Occurrence(
        "Holiday",
        EventType.BACKUP,
        TASK,
        "Holidays",
        NIGHT + timedelta(hours=hour),
        5,
        blocking=True,
    )
    found = of_day(DAILY, WEEKLY, block)
    assert found["Holiday"].verdict is Verdict.BLOCKING
    for name in ("Daily", "Weekly"):
        assert (found[name].verdict, found[name].by) == (Verdict.BLOCKED, "Holiday")
        assert found[name].reason.startswith("blocked: Holiday, priority 5, is planned")


def test_a_blocking_event_does_not_block_what_is_as_high() -> None:
    high = at("High", 20, 5)
    block = Occurrence("Holiday", EventType.BACKUP, TASK, "H", NIGHT, 5, blocking=True)
    assert running(high, block) == ["High"]


def test_what_is_past_is_told_as_past() -> None:
    past = Occurrence("Monthly", EventType.BACKUP, TASK, "Monthly", NIGHT, 3, past=True)
    assert decide(DAILY, [past], ZONE).reason == (
        "suppressed: Monthly, priority 3, was planned for 00:00 the same backup day"
    )


def test_with_its_suppressor_left_out_the_next_one_decides() -> None:
    day = (DAILY, WEEKLY, MONTHLY)
    assert decide(WEEKLY, day, ZONE, without={"Monthly"}).verdict is Verdict.RUNS
    assert decide(DAILY, day, ZONE, without={"Monthly"}).by == "Weekly"


def test_an_hourly_event_is_suppressed_for_the_whole_day() -> None:
    hourly = [at("Hourly", hour, 1) for hour in range(24)]
    assert all(decide(one, [*hourly, MONTHLY], ZONE).by == "Monthly" for one in hourly)


occurrences = st.lists(
    st.builds(
        Occurrence,
        event=st.sampled_from("ABCDEF"),
        type=st.sampled_from([EventType.BACKUP, EventType.MIGRATION]),
        object=st.sampled_from(["t", "u"]),
        schedule=st.just("s"),
        start_at=st.integers(0, 1439).map(lambda minute: NIGHT + minute * MINUTE),
        priority=st.integers(0, 5),
        blocking=st.booleans(),
    ).filter(lambda one: one.priority or not one.blocking),
    max_size=12,
)


@given(occurrences)
def test_exactly_the_highest_priority_runs_or_blocks(day: Sequence[Occurrence]) -> None:
    for key in {one.key for one in day}:
        equal = [one for one in day if one.key == key]
        highest = max(one.priority for one in equal)
        for one in equal:
            found = decide(one, day, ZONE)
            top = found.verdict in (Verdict.RUNS, Verdict.BLOCKING)
            assert top is (one.priority in (0, highest))
            if found.verdict is Verdict.BLOCKED:
                assert any(
                    other.blocking and other.priority == highest for other in equal
                )


@given(occurrences, st.integers(0, 86_399))
def test_blocking_knows_no_hour(day: Sequence[Occurrence], seconds: int) -> None:
    moved = [
        Occurrence(
            one.event,
            one.type,
            one.object,
            one.schedule,
            one.start_at + timedelta(seconds=seconds if one.blocking else 0),
            one.priority,
            one.blocking,
        )
        for one in day
    ]
    before = [decide(one, day, ZONE).verdict for one in day]
    assert before == [decide(one, moved, ZONE).verdict for one in moved]
