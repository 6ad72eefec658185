"""Forms for people: the rules they are, held against systemd's calendar, and words."""

import re
import shutil
import subprocess
from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from sesam.errors import WrongUsage
from sesam.rules import forms
from sesam.rules.recurrence import check_schedule, starts
from sesam.rules.rrule import schedule_text
from sesam.rules.schedule import Schedule
from sesam.rules.words import words

BERLIN = ZoneInfo("Europe/Berlin")
ADDED = date(2026, 11, 24)
# A rule, its start and end of a day, the same for systemd.time(7), and in words.
FORMS = [
    ("", "20:00", "", "*-*-* 20:00", "daily at 20:00"),
    (forms.every("1d"), "20:00", "", "*-*-* 20:00", "daily at 20:00"),
    (forms.every("15min"), "00:00", "", "*-*-* *:0/15",
     "every 15 minutes from 00:00 to midnight"),
    (forms.every("min"), "00:00", "", "*-*-* *:*",
     "every minute from 00:00 to midnight"),
    (forms.every("2h"), "00:00", "", "*-*-* 0/2:00",
     "every 2 hours from 00:00 to midnight"),
    (forms.every("15min"), "08:00", "18:00", "*-*-* 08..17:0/15",
     "every 15 minutes from 08:00 to 18:00"),
    (forms.every("2h", "mon-fri"), "08:00", "18:00", "Mon..Fri *-*-* 08..17/2:00",
     "every 2 hours on Monday to Friday from 08:00 to 18:00"),
    (forms.every("3h"), "20:00", "04:00", "*-*-* 20,23,02:00",
     "every 3 hours from 20:00 to 04:00"),
    (forms.weekly("sat,sun"), "18:00", "", "Sat,Sun *-*-* 18:00",
     "weekly on Saturday and Sunday at 18:00"),
    (forms.weekly("Friday-mo"), "18:00", "", "Fri,Sat,Sun,Mon *-*-* 18:00",
     "weekly on Monday, Friday, Saturday and Sunday at 18:00"),
    (forms.every("1w", "wed"), "18:00", "", "Wed *-*-* 18:00",
     "weekly on Wednesday at 18:00"),
    (forms.monthly("1,15,-1"), "21:00", "", "*-*-01,15 21:00|*-*~01 21:00",
     "monthly on day 1, day 15 and the last day at 21:00"),
    (forms.monthly("last-day"), "21:00", "", "*-*~01 21:00",
     "monthly on the last day at 21:00"),
    (forms.monthly("-3"), "21:00", "", "*-*~03 21:00",
     "monthly on day 3 from the end at 21:00"),
    (forms.monthly("31"), "21:00", "", "*-*-31 21:00", "monthly on day 31 at 21:00"),
    (forms.monthly("2nd-day"), "21:00", "", "*-*-02 21:00",
     "monthly on day 2 at 21:00"),
    (forms.monthly("last-fri"), "21:00", "", "Fri *-*~07/1 21:00",
     "monthly on the last Friday at 21:00"),
    (forms.monthly("2nd-sat"), "21:00", "", "Sat *-*-08..14 21:00",
     "monthly on the second Saturday at 21:00"),
    (forms.monthly("first-mon,third-mon"), "21:00", "", "Mon *-*-01..07,15..21 21:00",
     "monthly on the first Monday and third Monday at 21:00"),
    (forms.monthly("first-workday"), "21:00", "",
     "Mon..Fri *-*-01 21:00|Mon *-*-02,03 21:00",
     "monthly on the first workday at 21:00"),
    (forms.monthly("last-weekday"), "21:00", "",
     "Mon..Fri *-*~01 21:00|Fri *-*~02,03 21:00",
     "monthly on the last workday at 21:00"),
    (forms.monthly("first-weekend-day"), "21:00", "",
     "Sat *-*-01..06 21:00|Sun *-*-01 21:00",
     "monthly on the first weekend day at 21:00"),
    (forms.yearly("12-24"), "10:00", "", "*-12-24 10:00",
     "yearly on day 24 of December at 10:00"),
    (forms.yearly("12-24,12-31"), "10:00", "", "*-12-24,31 10:00",
     "yearly on day 24 and day 31 of December at 10:00"),
    (forms.yearly("01-02,07-02"), "10:00", "", "*-01,07-02 10:00",
     "yearly on day 2 of January and July at 10:00"),
    (forms.yearly("12--1"), "10:00", "", "*-12-31 10:00",
     "yearly on the last day of December at 10:00"),
    (forms.yearly("last-day-feb"), "10:00", "", "*-02~01 10:00",
     "yearly on the last day of February at 10:00"),
    (forms.yearly("last-sun-mar"), "10:00", "", "Sun *-03~07/1 10:00",
     "yearly on the last Sunday of March at 10:00"),
    (forms.yearly("last-sun-mar,last-sun-oct"), "10:00", "", "Sun *-03,10~07/1 10:00",
     "yearly on the last Sunday of March and October at 10:00"),
    (forms.yearly("first-workday-january"), "10:00", "",
     "Mon..Fri *-01-01 10:00|Mon *-01-02,03 10:00",
     "yearly on the first workday of January at 10:00"),
    (forms.yearly("first-workday-jan,first-workday-jul"), "10:00", "",
     "Mon..Fri *-01,07-01 10:00|Mon *-01,07-02,03 10:00",
     "yearly on the first workday of January and July at 10:00"),
]  # fmt: skip


def made(rule: str, start: str, end: str = "", **more: object) -> Schedule:
    return Schedule(
        "one", time.fromisoformat(start), schedule_text(rule) if rule else "",
        between_end=time.fromisoformat(end) if end else None, added=ADDED, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "start", "end", "systemd", "said"), FORMS, ids=[one[3] for one in FORMS]
)
def test_a_form_starts_when_systemd_says(
    rule: str, start: str, end: str, systemd: str, said: str
) -> None:
    one = made(rule, start, end)
    check_schedule(one)
    assert words(one) == said
    begin = datetime(2026, 11, 25, tzinfo=UTC)
    ahead = starts(one, BERLIN, begin, begin.replace(year=2066), dict)
    assert list(islice(ahead, 40)) == witness(systemd, 40)


def witness(expression: str, number: int) -> list[datetime]:
    """What systemd makes of expressions: the next starts from 2026-11-25 00:00 UTC."""
    assert shutil.which("systemd-analyze"), "install the package systemd"
    done = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={number}",
         "--base-time=2026-11-24 23:59:59 UTC",
         *(f"{one} Europe/Berlin" for one in expression.split("|"))],
        capture_output=True, text=True, check=True,
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    found = re.findall(r"(?:elapse|#\d+): \w+ (\S+ \S+) UTC", done.stdout)
    moments = {datetime.fromisoformat(one + "+00:00") for one in found}
    return sorted(moments)[:number]


def test_every_second_week_counts_from_the_first_one() -> None:
    one = made(forms.every("2w", "sat,mon"), "18:00")
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    days = [
        m.day
        for m in islice(
            starts(one, BERLIN, begin, begin.max.replace(tzinfo=UTC), dict), 4
        )
    ]
    assert days == [28, 7, 12, 21]
    assert words(one) == "every 2 weeks on Monday and Saturday at 18:00"
    assert (
        words(made(forms.every("2w"), "18:00")) == "every 2 weeks on Tuesday at 18:00"
    )


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (made("", "20:00", calendars=("a",)), "on the dates of calendar a at 20:00"),
        (made("", "20:00", calendars=("a", "b"), offset=-1),
         "on the dates of calendar a or b at 20:00, moved by -1 day"),
        (made("FREQ=DAILY", "20:00", calendars=("a",), except_calendars=("b",)),
         "daily at 20:00, if in calendar a, not in calendar b"),
        (made(forms.ONCE, "20:00", valid_from=date(2026, 12, 24)),
         "once on 2026-12-24 at 20:00"),
        (made("FREQ=DAILY;COUNT=3", "20:00", valid_until=ADDED),
         "daily at 20:00, 3 times, until 2026-11-24"),
        (made("FREQ=MONTHLY", "20:00", offset=2, valid_from=ADDED),
         "monthly on day 24 at 20:00, moved by +2 days, from 2026-11-24"),
        (made("FREQ=YEARLY", "20:00"), "yearly on day 24 of November at 20:00"),
        (made("FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO", "20:00"),
         "every 2 months on the first Monday at 20:00"),
        (made("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "20:00"),
         "by rule FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO at 20:00"),
        (made("FREQ=DAILY;BYMONTH=2", "20:00"),
         "by rule FREQ=DAILY;BYMONTH=2 at 20:00"),
        (made("FREQ=DAILY;INTERVAL=3;BYDAY=MO", "20:00"),
         "by rule FREQ=DAILY;INTERVAL=3;BYDAY=MO at 20:00"),
        (made("FREQ=YEARLY;BYMONTH=2;BYYEARDAY=40", "20:00"),
         "by rule FREQ=YEARLY;BYMONTH=2;BYYEARDAY=40 at 20:00"),
        (made("FREQ=MONTHLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=1", "20:00"),
         "by rule FREQ=MONTHLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=1 at 20:00"),
        (made("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "20:00"),
         "by rule FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1 at 20:00"),
        (made("FREQ=YEARLY;BYDAY=20MO", "20:00"),
         "by rule FREQ=YEARLY;BYDAY=20MO at 20:00"),
        (made("FREQ=YEARLY;BYMONTHDAY=13", "20:00"),
         "by rule FREQ=YEARLY;BYMONTHDAY=13 at 20:00"),
        (made("FREQ=MONTHLY;BYDAY=5MO", "20:00"),
         "monthly on the fifth Monday at 20:00"),
        (made("FREQ=MONTHLY;BYDAY=-2MO", "20:00"),
         "by rule FREQ=MONTHLY;BYDAY=-2MO at 20:00"),
        (made("FREQ=MONTHLY;BYDAY=FR", "20:00"), "monthly on every Friday at 20:00"),
        (made("FREQ=HOURLY;BYMONTHDAY=1", "20:00"),
         "by rule FREQ=HOURLY;BYMONTHDAY=1 from 20:00 to midnight"),
    ],
)  # fmt: skip
def test_a_schedule_is_said_in_words(schedule: Schedule, said: str) -> None:
    assert words(schedule) == said


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        (forms.every, "often", "no number of min, h, d or w"),
        (forms.every, "0min", "no number"),
        (forms.every, "36h", "--every 1d"),
        (forms.every, "1440min", "--every 1d"),
        (forms.weekly, "someday", "no weekday"),
        (forms.weekly, "", "no weekday"),
        (forms.weekly, "sat,", "no weekday"),
        (forms.weekly, "sat-", "no weekday"),
        (forms.monthly, "32", "no day of a month"),
        (forms.monthly, "0", "no day of a month"),
        (forms.monthly, "fifth-mon", "no day of a month"),
        (forms.monthly, "last", "no day of a month"),
        (forms.monthly, "last-moon", "no day of a month"),
        (forms.monthly, "1,last-fri", "several kinds"),
        (forms.monthly, "first-workday,first-weekend-day", "several kinds"),
        (forms.yearly, "13-01", "no day of a year"),
        (forms.yearly, "24.12.", "no day of a year"),
        (forms.yearly, "last-sun", "no day of a year"),
        (forms.yearly, "02-30", "February has 29 days"),
        (forms.yearly, "04-31", "April has 30 days"),
        (forms.yearly, "12-24,01-06", "sm_schedule calendar add"),
        (forms.yearly, "12-24,last-sun-mar", "sm_schedule calendar add"),
    ],
)
def test_what_no_form_is_is_refused_with_a_sentence(form, text: str, why: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        form(text)
    assert why in f"{refused.value} {refused.value.hint}"


def test_days_do_not_go_with_weekdays() -> None:
    with pytest.raises(WrongUsage, match="days do not go with --weekly"):
        forms.every("3d", "sat")
