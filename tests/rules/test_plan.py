"""Plans over days and years: groups, days, what is switched off, and what runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from zoneinfo import ZoneInfo

from sesam.rules.decision import EventType, Verdict
from sesam.rules.event import Event
from sesam.rules.newdays import Newdays
from sesam.rules.plan import Setup, decided, plan
from sesam.rules.schedule import Schedule

ZONE = ZoneInfo("Europe/Berlin")
TASK = "stratum1_etc"


def event(name: str, priority: int, *, task: str = TASK, group: str = "") -> Event:
    return Event(
        name,
        EventType.BACKUP,
        schedule=name,
        task=task,
        group=group,
        priority=priority,
    )


DAILY = Schedule("Daily", time(20))
WEEKLY = Schedule("Weekly", time(18), "FREQ=WEEKLY;BYDAY=SA,SU")
MONTHLY = Schedule("Monthly", time(21), "FREQ=MONTHLY;BYMONTHDAY=-1")


def setup(
    *events: Event,
    groups: Mapping[str, Sequence[str]] | None = None,
    schedules: Sequence[Schedule] = (DAILY, WEEKLY, MONTHLY),
) -> Setup:
    newdays = Newdays(ZONE, [(date.min, Schedule("NEWDAY", time(8)))])
    return Setup(
        events, {one.name: one for one in schedules}, groups or {}, ZONE, newdays
    )


ALL = (event("Daily", 1), event("Weekly", 2), event("Monthly", 3))


def rows(made: Setup, first: date, last: date) -> Iterator[tuple[date, str, str]]:
    for day in plan(made, first, last):
        for one, decision in decided(made, day):
            verdict = "off" if decision is None else decision.verdict.value
            yield one.day, one.occurrence.event, verdict


def test_the_three_schedules_of_the_manual_in_october_2026() -> None:
    found = list(rows(setup(*ALL), date(2026, 10, 1), date(2026, 10, 31)))
    running = {day: name for day, name, verdict in found if verdict == Verdict.RUNS}
    assert len(running) == 31
    for day, name in running.items():
        if day.day == 31:
            assert name == "Monthly"
        else:
            assert name == ("Weekly" if day.weekday() >= 5 else "Daily")
    assert len([one for one in found if one[1] == "Daily"]) == 31


def test_what_is_switched_off_is_a_row_and_suppresses_nothing() -> None:
    for made in (
        setup(ALL[0], replace(ALL[2], enabled=False)),
        setup(ALL[0], ALL[2], schedules=(DAILY, replace(MONTHLY, enabled=False))),
    ):
        found = list(rows(made, date(2026, 10, 31), date(2026, 10, 31)))
        assert found == [
            (date(2026, 10, 31), "Daily", "runs"),
            (date(2026, 10, 31), "Monthly", "off"),
        ]


def test_a_start_before_newday_belongs_to_the_day_before() -> None:
    early = Schedule("Daily", time(7, 59))
    late = Schedule("Weekly", time(8), "FREQ=WEEKLY;BYDAY=SA")
    made = setup(ALL[0], ALL[1], schedules=(early, late))
    found = list(rows(made, date(2026, 10, 16), date(2026, 10, 17)))
    assert found == [
        # 07:59 of Saturday is Friday's still.
        (date(2026, 10, 16), "Daily", "runs"),
        (date(2026, 10, 17), "Weekly", "runs"),
        (date(2026, 10, 17), "Daily", "suppressed"),
    ]


def test_a_group_is_compared_task_by_task() -> None:
    group = event("Daily", 1, task="", group="nightly")
    made = setup(group, ALL[2], groups={"nightly": ("home", TASK)})
    (day,) = plan(made, date(2026, 10, 31), date(2026, 10, 31))
    found = {
        (one.occurrence.event, one.occurrence.object): found.verdict
        for one, found in decided(made, day)
        if found is not None
    }
    assert found == {
        ("Daily", "home"): Verdict.RUNS,
        ("Daily", TASK): Verdict.SUPPRESSED,
        ("Monthly", TASK): Verdict.RUNS,
    }


def test_parts_of_a_period_give_what_the_whole_gives() -> None:
    made = setup(*ALL)
    whole = list(rows(made, date(2026, 1, 1), date(2026, 12, 31)))
    parts = [
        one
        for month in range(1, 13)
        for one in rows(
            made,
            date(2026, month, 1),
            date(2026 + month // 12, month % 12 + 1, 1).replace(day=1)
            - (date(2026, 1, 2) - date(2026, 1, 1)),
        )
    ]
    assert parts == whole


def test_a_date_without_a_newday_belongs_to_the_day_before() -> None:
    made = setup(*ALL)
    workdays = Schedule("NEWDAY", time(8), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
    made = replace(made, newdays=Newdays(ZONE, [(date.min, workdays)]))
    found = list(rows(made, date(2026, 10, 9), date(2026, 10, 11)))
    # Saturday's and Sunday's starts are those of Friday.
    assert {day for day, _, _ in found} == {date(2026, 10, 9)}
    assert [verdict for _, name, verdict in found if name == "Daily"] == [
        "suppressed"
    ] * 3
    assert list(plan(made, date(2026, 10, 10), date(2026, 10, 11))) == []
