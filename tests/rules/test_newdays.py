"""Backup days by a schedule in versions: they never run backwards, none comes twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesam.errors import WrongUsage
from sesam.rules.backup_day import exists, wall_clock
from sesam.rules.newdays import Newdays, check_newday
from sesam.rules.schedule import DAILY, NEWDAY, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = Schedule(NEWDAY, time(8), DAILY)
WORKDAYS = replace(EIGHT, rule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
# A night in which the clocks go forward, one in which they go back, and their like.
NIGHTS = [
    ("Europe/Berlin", date(2027, 3, 27)),
    ("Europe/Berlin", date(2027, 10, 30)),
    ("Australia/Lord_Howe", date(2027, 4, 3)),
    ("Australia/Lord_Howe", date(2027, 10, 2)),
    ("America/St_Johns", date(2027, 3, 13)),
    ("America/Sao_Paulo", date(2018, 11, 3)),
    ("Pacific/Apia", date(2011, 12, 28)),
    ("UTC", date(2028, 2, 28)),
]


def days_of(
    *more: tuple[date, Schedule], first: Schedule = EIGHT, zone: ZoneInfo = BERLIN
) -> Newdays:
    return Newdays(zone, [(date.min, first), *more])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_the_newday_instant_belongs_to_the_new_day() -> None:
    days, begin = days_of(), at("2027-01-05 08:00")
    assert days.holding(begin) == date(2027, 1, 5)
    assert days.holding(begin - timedelta(microseconds=1)) == date(2027, 1, 4)


def test_a_newday_that_skips_the_weekend_makes_friday_last_until_monday() -> None:
    days = days_of(first=WORKDAYS)
    friday, monday = date(2027, 1, 8), date(2027, 1, 11)
    assert days.holding(at("2027-01-10 23:00")) == friday
    assert days.holding(at("2027-01-11 07:59")) == friday
    assert days.holding(at("2027-01-11 08:00")) == monday
    assert (days.following(friday), days.before(monday)) == (monday, friday)
    assert not days.has(date(2027, 1, 9))
    found = list(days.starts(at("2027-01-08 08:00"), at("2027-01-12 08:00")))
    assert found == [at("2027-01-08 08:00"), at("2027-01-11 08:00")]


def test_a_change_moves_no_boundary_before_it() -> None:
    six = replace(EIGHT, start=time(6))
    days = days_of((date(2027, 1, 6), six))
    assert days.begin(date(2027, 1, 5)) == at("2027-01-05 08:00")
    assert days.begin(date(2027, 1, 6)) == at("2027-01-06 06:00")
    assert days.holding(at("2027-01-06 06:30")) == date(2027, 1, 6)
    assert days.holding(at("2027-01-05 07:30")) == date(2027, 1, 4)


@pytest.mark.parametrize("newday", [time(0), time(2, 30), time(8), time(23, 59)])
@pytest.mark.parametrize(("name", "first"), NIGHTS)
def test_no_minute_of_a_night_makes_the_backup_day_run_backwards(
    name: str, first: date, newday: time
) -> None:
    zone = ZoneInfo(name)
    days = days_of(first=replace(EIGHT, start=newday), zone=zone)
    moment = datetime.combine(first, time(), tzinfo=UTC)
    last = days.holding(moment)
    for _ in range(4 * 24 * 60):
        moment += timedelta(minutes=1)
        day = days.holding(moment)
        assert last <= day
        assert wall_clock(day, newday, zone) <= moment
        assert exists(day, zone)
        last = day


schedules = st.builds(
    lambda hour, minute, rule, offset: Schedule(
        NEWDAY, time(hour, minute), rule, offset=offset
    ),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(
        [DAILY, WORKDAYS.rule, "FREQ=WEEKLY;BYDAY=SU", "FREQ=DAILY;INTERVAL=3"]
    ),
    st.integers(-2, 2),
)


@given(
    first=schedules,
    changes=st.lists(st.tuples(st.integers(0, 400), schedules), max_size=5),
    moments=st.lists(st.integers(-10_000, 800_000), min_size=2, max_size=30),
    night=st.sampled_from(NIGHTS),
)
def test_whatever_was_changed_time_has_one_direction(
    first: Schedule,
    changes: list[tuple[int, Schedule]],
    moments: list[int],
    night: tuple[str, date],
) -> None:
    zone, begin = ZoneInfo(night[0]), night[1] - timedelta(days=200)
    versions = sorted(
        {begin + timedelta(days=days): one for days, one in changes}.items()
    )
    days = days_of(*versions, first=first, zone=zone)
    start = datetime.combine(begin, time(), tzinfo=UTC)
    found = []
    for minutes in sorted(moments):
        moment = start + timedelta(minutes=minutes)
        day = days.holding(moment)
        assert days.has(day)
        assert days.begin(day) <= moment < days.begin(days.following(day))
        assert days.before(days.following(day)) == day
        found.append(day)
    assert found == sorted(found)


@pytest.mark.parametrize(
    "odd",
    [
        replace(EIGHT, rule="FREQ=HOURLY"),
        replace(EIGHT, rule="FREQ=DAILY;COUNT=9"),
        replace(EIGHT, rule="", calendars=("feasts",)),
        replace(EIGHT, except_calendars=("feasts",)),
        replace(EIGHT, valid_from=date(2027, 1, 1)),
        replace(EIGHT, valid_until=date(2027, 1, 1)),
        replace(EIGHT, rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
    ],
)
def test_what_cannot_divide_time_is_refused(odd: Schedule) -> None:
    with pytest.raises(WrongUsage):
        check_newday(odd)


def test_what_divides_time_is_taken() -> None:
    for one in (EIGHT, WORKDAYS, replace(EIGHT, rule="FREQ=MONTHLY;BYMONTHDAY=-1")):
        check_newday(one)
