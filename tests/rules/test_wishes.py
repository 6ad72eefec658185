"""What an admin asks for, made a schedule."""

from datetime import date, time
from typing import Any

import pytest

from sesam.errors import WrongUsage
from sesam.rules.recurrence import check_schedule
from sesam.rules.schedule import Schedule
from sesam.rules.wishes import asked

EIGHT, SIX, TEN = time(8), time(18), time(22)
PLAIN = Schedule("one", time(20), added=date(2026, 11, 24))
SHOP = asked(PLAIN, {"every": "15min", "between": (EIGHT, SIX)})
CHRISTMAS = date(2026, 12, 24)


def test_a_cycle_begins_with_its_hours_or_within_them() -> None:
    assert (SHOP.start, SHOP.between_end) == (EIGHT, SIX)
    later = asked(PLAIN, {"every": "1h", "between": (EIGHT, SIX), "start": time(9)})
    assert (later.start, later.between_end) == (time(9), SIX)
    night = asked(PLAIN, {"every": "1h", "between": (TEN, time(4)), "start": time(1)})
    assert (night.start, night.between_end) == (time(1), time(4))
    late = asked(PLAIN, {"every": "1h", "between": (EIGHT, time())})
    assert (late.start, late.between_end) == (EIGHT, None)
    whole = asked(PLAIN, {"every": "1h", "between": (time(), time())})
    assert (whole.start, whole.between_end) == (time(), None)


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ({"weekly": "sat", "monthly": "1"}, "--weekly and --monthly say two rules"),
        ({"rrule": "FREQ=DAILY", "once": CHRISTMAS}, "two rules"),
        ({"every": "2w", "weekly": "sat", "yearly": "12-24"}, "two rules"),
        ({"rrule": ""}, "no NAME=VALUE"),
        ({"every": ""}, "no number"),
        ({"every": "99999d"}, "INTERVAL is from 1 to 10000"),
        ({"between": (EIGHT, EIGHT), "every": "1h"}, "is empty"),
        ({"between": (EIGHT, SIX), "every": "1h", "start": SIX}, "not within"),
        ({"between": (TEN, EIGHT), "every": "1h", "start": time(9)}, "not within"),
        ({"once": CHRISTMAS, "valid_from": date(2027, 1, 1)}, "its date itself"),
        ({"between": (EIGHT, SIX), "weekly": "sat"}, "--between is for a cycle"),
        ({"between": (EIGHT, SIX)}, "--between is for a cycle"),
    ],
)
def test_wishes_that_do_not_go_together_are_refused(
    wishes: dict[str, Any], why: str
) -> None:
    with pytest.raises(WrongUsage, match=why):
        check_schedule(asked(PLAIN, wishes))


def test_a_second_week_and_hours_of_weekdays_are_one_form() -> None:
    weeks = asked(PLAIN, {"every": "2w", "weekly": "sat"})
    assert weeks.rule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA"
    hours = asked(SHOP, {"every": "1h", "weekly": "mon,tue"})
    assert (hours.rule, hours.between_end) == ("FREQ=HOURLY;BYDAY=MO,TU", SIX)


def test_what_is_not_asked_for_stays() -> None:
    changed = asked(SHOP, {"offset": 1, "calendars": ("a",)})
    assert changed.rule == "FREQ=MINUTELY;INTERVAL=15"
    assert (changed.start, changed.between_end) == (EIGHT, SIX)
    assert asked(SHOP, {"rrule": None, "between": None}).effective_rule == "FREQ=DAILY"


def test_the_hours_of_a_cycle_go_with_it() -> None:
    for wishes in ({"weekly": "sat"}, {"rrule": None}, {"once": CHRISTMAS}):
        changed = asked(SHOP, wishes)
        check_schedule(changed)
        assert changed.between_end is None
    assert asked(SHOP, {"every": "2h"}).between_end == SIX
    assert asked(SHOP, {"start": time(9)}).between_end == SIX
    with pytest.raises(WrongUsage, match="not within"):
        asked(SHOP, {"start": time(7)})


def test_one_date_is_the_first_date_of_its_schedule() -> None:
    once = asked(PLAIN, {"once": CHRISTMAS})
    assert (once.rule, once.valid_from) == ("FREQ=DAILY;COUNT=1", CHRISTMAS)
    assert asked(once, {"weekly": "sat"}).valid_from is None
    since = date(2027, 1, 1)
    assert asked(once, {"weekly": "sat", "valid_from": since}).valid_from == since
    again = asked(once, {"once": since})
    assert (again.rule, again.valid_from) == (once.rule, since)
    assert asked(once, {"start": EIGHT}).valid_from == CHRISTMAS
