"""When schedules start: laws, a naive oracle, every zone's nights, and the cost."""

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice, pairwise
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sesam.errors import WrongUsage
from sesam.rules.recurrence import check_schedule, start_days, starts
from sesam.rules.rrule import CYCLES, parse_rule, schedule_text
from sesam.rules.rule_dates import rule_dates
from sesam.rules.schedule import NEWDAY, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Australia/Lord_Howe",
         "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca")]  # fmt: skip
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ADDED = date(2026, 11, 24)
CALENDARS = {
    "closing": [date(2026, 12, 30), date(2027, 1, 29), date(2027, 3, 28)],
    "holidays": [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)],
    "empty": [],
}
DATE_RULES = [
    "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;BYDAY=MO,TU;BYMONTH=12,1,3",
    "FREQ=DAILY;COUNT=40", "FREQ=DAILY;INTERVAL=5;COUNT=9", "FREQ=DAILY;BYMONTHDAY=-1",
    "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=SA,SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=WEEKLY;INTERVAL=3;COUNT=5", "FREQ=WEEKLY;BYMONTH=1,2;BYDAY=WE",
    "FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=2SA,4SA", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "FREQ=MONTHLY;COUNT=7;BYMONTHDAY=30",
    "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "FREQ=YEARLY;INTERVAL=2",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", "FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=1,-1", "FREQ=YEARLY;BYDAY=SA,SU;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "FREQ=YEARLY;COUNT=2",
]  # fmt: skip
CYCLE_RULES = [
    "FREQ=HOURLY", "FREQ=HOURLY;INTERVAL=5", "FREQ=MINUTELY;INTERVAL=45",
    "FREQ=MINUTELY;INTERVAL=7;BYDAY=MO,WE,SU", "FREQ=HOURLY;INTERVAL=2;BYMONTHDAY=-1,1",
]  # fmt: skip


def dates_of(name: str) -> list[date]:
    return CALENDARS[name]


def listed(
    one: Schedule, begin: datetime, end: datetime, zone: ZoneInfo
) -> list[datetime]:
    return list(starts(one, zone, begin, end, dates_of))


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))
names = st.sets(st.sampled_from(sorted(CALENDARS)), max_size=1)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start = draw(times)
    rule = draw(st.sampled_from(["", *DATE_RULES, *CYCLE_RULES]))
    end = draw(st.none() | times.filter(lambda one: one != start))
    first = draw(st.none() | st.dates(date(2026, 10, 1), date(2027, 2, 1)))
    last = draw(st.none() | st.dates(date(2027, 2, 1), date(2027, 6, 1)))
    wanted = draw(names)
    return Schedule(
        "one", start, rule,
        between_end=end if rule.split(";")[0][5:] in CYCLES else None,
        valid_from=first, valid_until=last, offset=draw(st.integers(-3, 3)),
        calendars=tuple(wanted), except_calendars=tuple(draw(names) - wanted),
        added=ADDED,
    )  # fmt: skip


instants = st.datetimes(
    datetime(2026, 10, 1),  # noqa: DTZ001
    datetime(2027, 5, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
zones = st.sampled_from(ZONES)


@settings(deadline=None)
@given(schedules(), zones, st.lists(instants, min_size=3, max_size=3))
def test_two_windows_together_give_what_one_gives(
    one: Schedule, zone: ZoneInfo, three: list[datetime]
) -> None:
    a, b, c = sorted(three)
    whole = listed(one, a, c, zone)
    assert listed(one, a, b, zone) + listed(one, b, c, zone) == whole
    assert all(x < y for x, y in pairwise(whole))
    assert all(a <= moment < c and moment.tzinfo is UTC for moment in whole)


# -- a naive oracle: walk every minute, every day -----------------------------------


@cache
def clock(zone: ZoneInfo) -> tuple[list[datetime], list[datetime]]:
    """What the zone's clocks have shown at most, each minute, and those minutes."""
    moment, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC)
    shown, moments, latest = [], [], datetime.combine(date.min, time())
    while moment < end:
        latest = max(latest, moment.astimezone(zone).replace(tzinfo=None))
        shown.append(latest)
        moments.append(moment)
        moment += MINUTE
    return shown, moments


def first_at(day: date, at: time, zone: ZoneInfo) -> datetime:
    shown, moments = clock(zone)
    return moments[bisect_left(shown, datetime.combine(day, at))]


def naive_dates(one: Schedule) -> Iterator[date]:
    """The dates of a schedule, by RFC 5545 from its first one on."""
    if not one.rule and one.calendars:
        yield from sorted({d for n in one.calendars for d in CALENDARS[n]})
        return
    text = one.rule or "FREQ=DAILY"
    for cycle in CYCLES:
        text = text.replace(f"FREQ={cycle}", "FREQ=DAILY")
    if text != one.rule:
        text = ";".join(part for part in text.split(";") if "INTERVAL" not in part)
    for moment in rrulestr(text, dtstart=datetime.combine(one.anchor, time())):
        if moment.date() > date(2027, 7, 1):
            return
        yield moment.date()


def naive(
    one: Schedule, begin: datetime, end: datetime, zone: ZoneInfo
) -> list[datetime]:
    found: set[datetime] = set()
    for day in naive_dates(one):
        day += one.offset * DAY
        if not (one.valid_from or date.min) <= day <= (one.valid_until or date.max):
            continue
        if any(day in CALENDARS[name] for name in one.except_calendars):
            continue
        inside = any(day in CALENDARS[name] for name in one.calendars)
        if one.rule and one.calendars and not inside:
            continue
        moment = first_at(day, one.start, zone)
        found.add(moment)
        if any(cycle in one.rule for cycle in CYCLES):
            ends = one.between_end or time()
            late = day if ends > one.start else day + DAY
            while moment < first_at(late, ends, zone):
                found.add(moment)
                moment += parse_rule(one.rule).step_minutes * MINUTE
            if first_at(day, one.start, zone) >= first_at(late, ends, zone):
                found.discard(first_at(day, one.start, zone))
    return sorted(moment for moment in found if begin <= moment < end)


@settings(deadline=None, max_examples=300)
@given(
    schedules(),
    st.sampled_from([BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
    instants,
    instants,
)
def test_a_schedule_starts_when_a_walk_through_all_minutes_says(
    one: Schedule, zone: ZoneInfo, begin: datetime, end: datetime
) -> None:
    assert listed(one, begin, end, zone) == naive(one, begin, end, zone)


@pytest.mark.parametrize("rule", DATE_RULES)
@pytest.mark.parametrize("anchor", [ADDED, date(2024, 2, 29), date(1999, 12, 31)])
def test_dates_are_those_of_dateutil_wherever_the_window_lies(
    rule: str, anchor: date
) -> None:
    last = anchor + 6000 * DAY
    whole = [
        one.date()
        for one in rrulestr(rule, dtstart=datetime.combine(anchor, time())).between(
            datetime.combine(anchor, time()), datetime.combine(last, time()), inc=True
        )
    ]
    parsed = parse_rule(rule)
    for first in (anchor - 9 * DAY, anchor, anchor + DAY, anchor + 3333 * DAY):
        found = list(rule_dates(parsed, anchor, first, last))
        assert found == [day for day in whole if day >= first], first


@pytest.mark.parametrize("first", [ADDED, date(2026, 11, 29)])
def test_a_week_that_has_begun_is_counted_whole_by_bysetpos(first: date) -> None:
    rule = parse_rule("FREQ=WEEKLY;BYDAY=MO,SU;BYSETPOS=1")
    found = list(rule_dates(rule, first, first, date(2026, 12, 8)))
    assert found == [date(2026, 11, 30), date(2026, 12, 7)]


# -- the order that the manual gives ------------------------------------------------


def days(**facts: Any) -> list[str]:
    one = Schedule("one", time(20), **{"added": ADDED, **facts})
    found = start_days(one, date(2026, 11, 1), date(2027, 2, 28), dates_of)
    return [f"{day:%m-%d}" for day in islice(found, 4)]


def test_offset_then_validity_then_calendars() -> None:
    last = "FREQ=MONTHLY;BYMONTHDAY=-1"
    assert days(rule=last, offset=-1) == ["11-29", "12-30", "01-30", "02-27"]
    assert days(rule=last, offset=1) == ["12-01", "01-01", "02-01"]
    assert days(rule=last, offset=-1, valid_from=date(2026, 11, 30))[0] == "12-30"
    assert days(rule=last, offset=-1, calendars=("closing",)) == ["12-30"]
    assert days(calendars=("closing",)) == ["12-30", "01-29"]
    assert days(calendars=("closing",), offset=2) == ["01-01", "01-31"]
    moved_away = days(calendars=("closing",), offset=2, except_calendars=("holidays",))
    assert moved_away == ["01-31"]
    assert days(rule="FREQ=DAILY", calendars=("closing", "holidays"))[0] == "12-25"
    assert (
        days(calendars=("empty",))
        == days(rule="FREQ=DAILY", calendars=("empty",))
        == []
    )


def test_a_rule_counts_from_its_first_date_or_the_day_it_was_added() -> None:
    every = "FREQ=DAILY;INTERVAL=3"
    assert days(rule=every)[:2] == ["11-24", "11-27"]
    assert days(rule=every, valid_from=date(2026, 11, 26))[:2] == ["11-26", "11-29"]
    assert days(rule="FREQ=DAILY;COUNT=2") == ["11-24", "11-25"]
    two_weeks = days(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA")
    assert two_weeks == ["11-28", "12-07", "12-12", "12-21"]


def test_a_night_belongs_to_the_date_on_which_it_began() -> None:
    night = Schedule(
        "n", time(22), "FREQ=HOURLY;INTERVAL=2", between_end=time(3),
        valid_from=date(2026, 12, 24), valid_until=date(2026, 12, 26),
        except_calendars=("holidays",), added=ADDED,
    )  # fmt: skip
    whole = (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    found = listed(night, *whole, ZoneInfo("UTC"))
    assert [f"{moment:%d %H}" for moment in found] == ["24 22", "25 00", "25 02"]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25)]
)
def test_a_cycle_counts_elapsed_time_on_the_nights_clocks_change(
    day: date, hours: int
) -> None:
    one = Schedule("c", time(), "FREQ=HOURLY", added=ADDED)
    begin = datetime.combine(day, time(), tzinfo=BERLIN).astimezone(UTC)
    found = listed(one, begin, begin + hours * 60 * MINUTE, BERLIN)
    assert len(found) == hours
    assert {y - x for x, y in pairwise(found)} == {60 * MINUTE}


# -- every zone, every night on which its clocks change -----------------------------


def transitions(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Yield instant, offset before and after, of all changes from 1975 to 2037."""
    step = timedelta(days=12)
    early = datetime(1975, 1, 1, tzinfo=UTC)
    before = early.astimezone(zone).utcoffset()
    while early < datetime(2038, 1, 1, tzinfo=UTC):
        late = early + step
        after = late.astimezone(zone).utcoffset()
        if after != before:
            low, high = early, late
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                if middle.astimezone(zone).utcoffset() == before:
                    low = middle
                else:
                    high = middle
            at = high.replace(microsecond=0)
            after = high.astimezone(zone).utcoffset()
            assert before is not None
            assert after is not None
            yield at, before, after
            early, before = high, after
        else:
            early = late


def test_every_change_of_every_zone_is_a_gap_or_a_fold_that_starts_once() -> None:
    seen: set[tuple[datetime, timedelta, timedelta]] = set()
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for at, before, after in transitions(zone):
            if (at, before, after) in seen:
                continue
            seen.add((at, before, after))
            check_night(zone, at, before, after)
    assert len(seen) > 2000


def check_night(
    zone: ZoneInfo, at: datetime, before: timedelta, after: timedelta
) -> None:
    """Start in the middle of the hour that is left out or there twice."""
    low, high = sorted((at + before, at + after))
    wall = (low + (high - low) / 2).replace(tzinfo=None, second=0, microsecond=0)
    expected = at if after > before else wall.replace(tzinfo=UTC) - before
    one = Schedule(
        "one", wall.time(), "FREQ=DAILY;COUNT=1", added=wall.date(),
    )  # fmt: skip
    found = listed(one, at - 3 * DAY, at + 3 * DAY, zone)
    assert found == [expected], (zone, at, wall)


def test_a_date_that_the_zone_leaves_out_starts_as_the_next_one_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")
    one = Schedule("one", time(2), added=date(2011, 12, 28))
    around = datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC)
    found = [f"{m.astimezone(apia):%d %H:%M}" for m in listed(one, *around, apia)]
    assert found == ["28 02:00", "29 02:00", "31 00:00", "31 02:00", "01 02:00"]
    newday = replace(one, name=NEWDAY)
    left = [m for m in listed(one, *around, apia) if m.astimezone(apia).hour]
    assert listed(newday, *around, apia) == left


# -- the cost: steps of Python, not seconds ------------------------------------------


def lines_of(work: Callable[[], object]) -> int:
    """Return how many lines of Python a piece of work runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


NEXT = datetime(2027, 3, 1, 12, tzinfo=UTC), datetime(2027, 3, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=MINUTELY", "FREQ=MINUTELY;INTERVAL=7", "FREQ=HOURLY;INTERVAL=5",
     "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
     "FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=YEARLY",
     "FREQ=DAILY;COUNT=100000"],
)  # fmt: skip
def test_a_schedule_of_a_hundred_years_costs_what_a_new_one_does(rule: str) -> None:
    def cost(added: date) -> int:
        one = Schedule("one", time(), rule, added=added)
        listed(one, *NEXT, BERLIN)  # what is computed once
        return lines_of(lambda: listed(one, *NEXT, BERLIN))

    new = cost(date(2027, 2, 24))
    assert cost(date(1970, 2, 26)) < new * 1.5 + 100
    assert cost(date(1027, 2, 26)) < new * 1.5 + 100


def test_starts_are_computed_as_they_are_asked_for() -> None:
    one = Schedule("one", time(), "FREQ=MINUTELY", added=ADDED)
    far = datetime(2900, 1, 1, tzinfo=UTC)

    def three() -> None:
        assert len(list(islice(starts(one, BERLIN, NEXT[0], far, dates_of), 3))) == 3

    three()
    assert lines_of(three) < 2000


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = NEXT[0].replace(tzinfo=None)
    for window in ((naive, NEXT[1]), (NEXT[0], naive)):
        with pytest.raises(ValueError, match="aware"):
            listed(Schedule("one", time()), *window, BERLIN)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
     "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
     "FREQ=DAILY;BYMONTH=6;BYMONTHDAY=31;COUNT=2",
     "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"],
)  # fmt: skip
def test_a_rule_without_a_date_is_refused_and_ends(rule: str) -> None:
    one = Schedule("one", time(), rule, added=ADDED)
    with pytest.raises(WrongUsage, match="gives no date from 2026-11-24"):
        check_schedule(one)
    assert listed(one, *NEXT, BERLIN) == []


def test_a_rule_whose_dates_all_lie_outside_its_validity_is_refused() -> None:
    christmas = "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24"
    until = date(2026, 12, 1)
    with pytest.raises(WrongUsage, match="to 2026-12-01"):
        check_schedule(
            Schedule("one", time(), christmas, added=ADDED, valid_until=until)
        )
    check_schedule(Schedule("one", time(), christmas, added=ADDED))
    check_schedule(Schedule("one", time(), calendars=("empty",)))
    once = Schedule("one", time(), "FREQ=DAILY;COUNT=1", valid_from=until, offset=-1)
    with pytest.raises(WrongUsage, match="gives no date"):
        check_schedule(once)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"rule": "FREQ=DAILY", "between_end": time(18)}, "--between is for a cycle"),
        ({"offset": 367}, "--offset"),
        ({"life_time": 0}, "--life-time"),
        ({"valid_from": date(1969, 1, 1)}, "--from 1969-01-01"),
        ({"valid_until": date(3001, 1, 1)}, "--until 3001-01-01"),
        ({"valid_from": date(2027, 1, 2), "valid_until": date(2027, 1, 1)}, "after"),
        ({"calendars": ("a",), "except_calendars": ("a",)}, "avoided"),
    ],
)
def test_what_cannot_be_meant_is_refused(facts: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongUsage, match=why):
        check_schedule(Schedule("one", time(8), **{"added": ADDED, **facts}))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FREQ=SECONDLY", "FREQ is one of"),
        ("INTERVAL=2", "FREQ is one of"),
        ("FREQ=DAILY;UNTIL=20271231", "--until"),
        ("FREQ=DAILY;DTSTART=20271231", "--from"),
        ("FREQ=DAILY;BYHOUR=8", "--start"),
        ("FREQ=DAILY;BYMINUTE=8", "--start"),
        ("FREQ=DAILY;BYSECOND=8", "--start"),
        ("FREQ=DAILY;WKST=SU", "Monday"),
        ("FREQ=DAILY;WKST=XX", "no weekday"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is from 1"),
        ("FREQ=DAILY;INTERVAL=x", "INTERVAL is from 1"),
        ("FREQ=DAILY;COUNT=-1", "COUNT is from 1"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;BYEASTER=1", "not known"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH is from 1 to 12"),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH is from 1 to 12"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbered weekday"),
        ("FREQ=MONTHLY;BYDAY=6MO", "no weekday is there"),
        ("FREQ=MONTHLY;BYDAY=0MO", "no weekday"),
        ("FREQ=MONTHLY;BYDAY=XX", "no weekday"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=HOURLY;COUNT=3", "COUNT"),
        ("FREQ=HOURLY;INTERVAL=24", "anew each day"),
        ("FREQ=MINUTELY;INTERVAL=1440", "anew each day"),
        ("FREQ=HOURLY;BYHOUR=8", "--start"),
        ("", "no NAME=VALUE"),
        ("daily", "no NAME=VALUE"),
        ("FREQ=DAILY;" + "BYMONTH=1;" * 60, "characters"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused_with_a_sentence(
    text: str, why: str
) -> None:
    with pytest.raises(WrongUsage) as refused:
        schedule_text(text)
    assert why in f"{refused.value} {refused.value.hint}"


def test_a_rule_is_kept_as_it_was_given() -> None:
    assert schedule_text(" rrule:freq=weekly;byday=su,sa ") == "FREQ=WEEKLY;BYDAY=SU,SA"
    assert schedule_text("FREQ=WEEKLY;WKST=MO") == "FREQ=WEEKLY;WKST=MO"
