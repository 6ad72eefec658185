""".ics files: what counts as a day, held against dateutil and icalendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from dateutil.rrule import rruleset, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sesam.errors import RequestError, WrongUsage
from sesam.rules.holiday_dates import holiday_dates
from sesam.rules.ics import Imported, read_ics
from sesam.rules.ics_write import write_ics
from sesam.rules.schedule import Calendar

BERLIN = ZoneInfo("Europe/Berlin")
HORIZON = date(2030, 12, 31)


def ics(*events: str) -> bytes:
    """A file of events, each given as its lines without BEGIN, END and DTSTAMP."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", "DTSTAMP:20260101T000000Z"]
        lines += [line.strip() for line in event.strip().splitlines()]
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def read(*events: str, zone: ZoneInfo = BERLIN) -> Imported:
    return read_ics(ics(*events), zone, HORIZON)


def days(*events: str, zone: ZoneInfo = BERLIN) -> list[str]:
    return [f"{day:%y%m%d}" for day in sorted(read(*events, zone=zone).days)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261224", ["261224"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227",
         ["261224", "261225", "261226"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", ["261224"]),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", ["261224", "261225"]),
        ("DTSTART:20261224T100000\nDTEND:20261224T120000", ["261224"]),
        ("DTSTART:20261224T220000\nDTEND:20261225T000000", ["261224"]),
        ("DTSTART:20261224T220000\nDURATION:PT3H", ["261224", "261225"]),
        ("DTSTART:20261224T233000Z", ["261225"]),
        ("DTSTART:20261224T223000Z\nDTEND:20261224T233000Z", ["261224", "261225"]),
        ("DTSTART;TZID=America/New_York:20261224T200000", ["261225"]),
        ("DTSTART;TZID=Asia/Tokyo:20261225T060000", ["261224"]),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;COUNT=2",
         ["261224", "271224"]),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=WEEKLY;UNTIL=20270107",
         ["261224", "261231", "270107"]),
        ("DTSTART:20261224T100000Z\nRRULE:FREQ=WEEKLY;UNTIL=20270107T095959Z",
         ["261224", "261231"]),
        ("DTSTART;TZID=Europe/Berlin:20261224T100000\n"
         "RRULE:FREQ=WEEKLY;UNTIL=20270107T090000Z", ["261224", "261231", "270107"]),
        ("DTSTART:20261224T100000\nRRULE:FREQ=WEEKLY;UNTIL=20261231T100000",
         ["261224", "261231"]),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=WEEKLY;COUNT=3\n"
         "EXDATE;VALUE=DATE:20261231", ["261224", "270107"]),
        ("DTSTART:20261224T100000\nRRULE:FREQ=WEEKLY;COUNT=3\n"
         "EXDATE;VALUE=DATE:20261231", ["261224", "270107"]),
        ("DTSTART:20261224T100000\nRRULE:FREQ=WEEKLY;COUNT=3\n"
         "EXDATE:20261231T100000,20270107T110000", ["261224", "270107"]),
        ("DTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20270201,20270301\n"
         "RDATE;VALUE=DATE:20270401", ["261224", "270201", "270301", "270401"]),
        ("DTSTART:20261224T100000\nRDATE;VALUE=PERIOD:20270201T100000/PT1H",
         ["261224", "270201"]),
        # Weeks of the file may begin on Sunday: RFC 5545, 3.8.5.3.
        ("DTSTART;VALUE=DATE:19970805\n"
         "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
         ["970805", "970817", "970819", "970831"]),
        ("DTSTART;VALUE=DATE:19970805\n"
         "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
         ["970805", "970810", "970819", "970824"]),
    ],
)  # fmt: skip
def test_an_event_counts_for_each_day_it_touches(
    lines: str, expected: list[str]
) -> None:
    assert days(f"UID:1\n{lines}") == expected


MASTER = """UID:1\nSUMMARY:jour fixe\nDTSTART;VALUE=DATE:20261201
            RRULE:FREQ=MONTHLY;COUNT=4"""


def changed(at: str, *lines: str) -> str:
    return "\n".join(["UID:1", f"RECURRENCE-ID;VALUE=DATE:{at}", *lines])


def test_an_instance_that_was_moved_counts_where_it_is_now() -> None:
    moved = changed("20270101", "DTSTART;VALUE=DATE:20270104", "SUMMARY:later")
    found = read(MASTER, moved)
    assert {f"{day:%m%d}": name for day, name in found.days.items()} == {
        "1201": "jour fixe", "0104": "later", "0201": "jour fixe", "0301": "jour fixe",
    }  # fmt: skip
    again = changed("20270101", "DTSTART;VALUE=DATE:20270108", "SEQUENCE:2")
    assert days(MASTER, again, moved) == ["261201", "270108", "270201", "270301"]


def test_an_instance_that_was_cancelled_does_not_count() -> None:
    gone = changed("20270101", "DTSTART;VALUE=DATE:20270101", "STATUS:CANCELLED")
    assert days(MASTER, gone) == ["261201", "270201", "270301"]
    assert days(MASTER + "\nSTATUS:CANCELLED", gone) == []
    alone = changed("20270101", "DTSTART;VALUE=DATE:20270102")
    assert days(alone) == ["270102"]


def test_an_event_without_end_is_expanded_to_the_horizon_and_named() -> None:
    found = read("UID:1\nSUMMARY:forever\nDTSTART;VALUE=DATE:20261224\n"
                 "RRULE:FREQ=YEARLY", "UID:2\nDTSTART;VALUE=DATE:20260101")  # fmt: skip
    assert found.endless == ["forever"]
    assert max(found.days) == date(2030, 12, 24)
    assert len(found.days) == 6


def test_days_of_two_events_bear_both_names_once() -> None:
    one = "SUMMARY:a\nDTSTART;VALUE=DATE:20261224"
    other = "SUMMARY:b\nDTSTART;VALUE=DATE:20261224"
    assert list(read(one, other, one).days.values()) == ["a, b"]


RULES = ["FREQ=DAILY;INTERVAL=3;COUNT=50", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=30",
         "FREQ=MONTHLY;BYDAY=-1FR;COUNT=20", "FREQ=YEARLY;COUNT=5",
         "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=13",
         "FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=9",
         "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=9"]  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from(RULES),
    st.dates(date(2020, 1, 1), date(2028, 1, 1)),
    st.lists(st.dates(date(2020, 1, 1), date(2029, 1, 1)), max_size=3),
    st.lists(st.integers(0, 8), max_size=3),
)
def test_dates_are_those_of_dateutil(
    rule: str, start: date, more: list[date], left_out: list[int]
) -> None:
    first = rrulestr(rule, dtstart=datetime.combine(start, datetime.min.time()))[0]
    witness, event = rruleset(), icalendar.Event()
    witness.rrule(rrulestr(rule, dtstart=first))
    without = [witness[n] for n in left_out if n < len(list(witness))]
    for day in more:
        witness.rdate(datetime.combine(day, first.time()))
    for one in without:
        witness.exdate(one)
    event.add("UID", "1")
    event.add("DTSTART", first.date())
    event.add("RRULE", icalendar.vRecur.from_ical(rule))
    for day in more:
        event.add("RDATE", [day])
    if without:
        event.add("EXDATE", [one.date() for one in without])
    file = icalendar.Calendar()
    file.add_component(event)
    found = read_ics(file.to_ical(), ZoneInfo("UTC"), HORIZON)
    assert sorted(found.days) == [one.date() for one in witness]


# icalendar writes a backslash before N as a new line.
letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\")
texts = st.text(letters, max_size=80)


@settings(deadline=None)
@given(st.dictionaries(st.dates(date(1971, 1, 1), date(2999, 1, 1)), texts))
def test_what_is_exported_is_read_back(named: dict[date, str]) -> None:
    named = {day: " ".join(named[day].split()) for day in sorted(named)}
    calendar = Calendar("c", tuple(named), {str(d): n for d, n in named.items() if n})
    raw = write_ics(calendar, datetime(2026, 11, 24, 15, tzinfo=UTC))
    found = read_ics(raw, BERLIN, HORIZON) if named else Imported()
    assert found.days == {day: name or "c" for day, name in named.items()}
    events = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    assert [one["DTSTART"].dt for one in events] == list(named)
    assert all(one["DTEND"].dt - one["DTSTART"].dt == timedelta(1) for one in events)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "no event"),
        (b"hello", "no calendar"),
        (b"\xff\xfe\x00\x01", "no calendar"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no event"),
        (ics("UID:1\nSUMMARY:s"), 'event "s" has no DTSTART'),
        (ics("UID:1\nDTSTART:2026"), 'event "1": DTSTART cannot be read'),
        (ics("UID:1\nDTSTART;VALUE=TIME:100000"), "DTSTART"),
        (ics("UID:1\nDTSTART;VALUE=DATE:20261224\nDTEND:20261224T100000"), "ends at"),
        (ics("UID:1\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261201"),
         "ends before"),
        (ics("UID:1\nDTSTART:20261224T100000\nRRULE:FREQ=HOURLY;COUNT=3"), "COUNT"),
        (ics("UID:1\nDTSTART:20261224T100000\nRRULE:FREQ=HOURLY"), "within a day"),
        (ics("UID:1\nDTSTART:20261224T100000\nRRULE:FREQ=SECONDLY"), "SECONDLY"),
        (ics("UID:1\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=OFTEN"), "RRULE"),
        (ics(MASTER, "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20270101\n"
                     "DTSTART;VALUE=DATE:20270102"), "all later"),
        (ics("UID:1\nDTSTART;VALUE=DATE:19710101\nDURATION:P200000D"), "100000 days"),
        (ics("UID:1\nDTSTART;VALUE=DATE:19710101\nRRULE:FREQ=DAILY;COUNT=100000",
             "UID:2\nDTSTART;VALUE=DATE:25000101\nRRULE:FREQ=DAILY;COUNT=100000"),
         "100000 days"),
    ],
    ids=range(16),
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused_whole(raw: bytes, why: str) -> None:
    with pytest.raises(WrongUsage, match=why):
        read_ics(raw, BERLIN, HORIZON)


def test_a_rule_without_dates_ends() -> None:
    rule = "RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"
    assert days(f"UID:1\nDTSTART;VALUE=DATE:20260130\n{rule}") == ["260130"]


def test_holidays_of_a_country_and_of_a_region() -> None:
    found = holiday_dates("DE", 2026, 2027)
    assert date(2026, 12, 25) in found
    assert date(2027, 12, 25) in found
    epiphany = date(2027, 1, 6)
    assert epiphany not in found
    assert holiday_dates("de-by", 2027, 2027)[epiphany]
    for nowhere in ("XX", "DE-XX", "-", "Germany"):
        with pytest.raises(WrongUsage, match="no holidays are known"):
            holiday_dates(nowhere, 2027, 2027)


def test_without_the_package_the_way_to_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)
    with pytest.raises(RequestError) as refused:
        holiday_dates("DE", 2027, 2027)
    assert refused.value.exit_code == 10
    assert refused.value.hint == "pip install 'sesam[holidays]'"
