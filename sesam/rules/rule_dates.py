"""The dates that a rule gives within a window, at a cost that only the window sets.

Periods (days, weeks, months, years) have numbers; those of a rule are `interval` apart
from the period of its first date on, so the first one of a window follows by division,
however long ago the rule began. No search leaves the window, so none is endless.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from itertools import islice

from sesam.rules.rrule import Rule
from sesam.rules.schedule import LAST_DAY

# dateutil stops at the end of year 9999: it is asked for one period at a time.
_NO_NEXT_MONTH, _NO_NEXT_YEAR = 120_000, 10_000


def rule_dates(rule: Rule, anchor: date, first: date, last: date) -> Iterator[date]:
    """Yield, in order, the dates of a rule from `first` to `last`, both included.

    anchor -- the date from which the rule counts, and what it leaves unsaid
    (weekday, day of the month); none lies before it. A cycle gives the days it runs on.
    """
    if rule.count:
        end = _last_counted(rule, anchor)
        if end is None:
            return
        last = min(last, end)
    yield from _dates(rule, anchor, max(first, anchor), last)


@lru_cache(maxsize=1024)
def _last_counted(rule: Rule, anchor: date) -> date | None:
    counted = islice(_dates(rule, anchor, anchor, LAST_DAY), rule.count)
    return max(counted, default=None)


def _dates(rule: Rule, anchor: date, first: date, last: date) -> Iterator[date]:
    if first > last:
        return
    interval = 1 if rule.is_cycle else rule.interval
    begun, wanted = _number(rule, anchor), _number(rule, first)
    period = wanted + (begun - wanted) % interval
    while period <= _number(rule, last):
        for day in _in_period(rule, anchor, period):
            if first <= day <= last:
                yield day
        period += interval


def _number(rule: Rule, day: date) -> int:
    """Return the number of the period that holds a day."""
    if rule.freq == "YEARLY":
        return day.year
    if rule.freq == "MONTHLY":
        return day.year * 12 + day.month - 1
    if rule.freq == "WEEKLY":
        # Day 1 of the calendar is a Monday.
        return (day.toordinal() - 1 - rule.week_start) // 7
    return day.toordinal()


def _in_period(rule: Rule, anchor: date, period: int) -> list[date]:
    if rule.freq in ("MONTHLY", "YEARLY"):
        return _by_dateutil(rule, anchor, period)
    if rule.freq == "WEEKLY":
        weekdays = rule.weekdays or {anchor.weekday()}
        begin = period * 7 + 1 + rule.week_start
        days = [date.fromordinal(begin + n) for n in range(7)]
        found = [day for day in days if day.weekday() in weekdays]
    else:
        found = [date.fromordinal(period)]
        if rule.by_day:
            found = [day for day in found if day.weekday() in rule.weekdays]
    return _at_positions(rule, [day for day in found if _in_month(rule, day)])


def _in_month(rule: Rule, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    if not rule.by_month_day:
        return True
    from_end = day.day - 1 - monthrange(day.year, day.month)[1]
    return day.day in rule.by_month_day or from_end in rule.by_month_day


def _at_positions(rule: Rule, days: list[date]) -> list[date]:
    if not rule.by_set_pos:
        return days
    size = len(days)
    places = {n - 1 if n > 0 else size + n for n in rule.by_set_pos}
    return [day for place, day in enumerate(days) if place in places]


def _by_dateutil(rule: Rule, anchor: date, period: int) -> list[date]:
    """Return the dates of one month or year."""
    from dateutil import rrule as lib

    monthly = rule.freq == "MONTHLY"
    year, month = divmod(period, 12) if monthly else (period, 0)
    months, month_days = rule.by_month, rule.by_month_day
    if not (month_days or rule.by_day or rule.by_year_day or rule.by_week_no):
        month_days = (anchor.day,)
        months = months if months or monthly else (anchor.month,)
    dates = lib.rrule(
        lib.MONTHLY if monthly else lib.YEARLY,
        # Wall-clock dates: a zone comes in with the time of the day alone.
        dtstart=datetime(year, month + 1, 1),  # noqa: DTZ001
        interval=_NO_NEXT_MONTH if monthly else _NO_NEXT_YEAR,
        wkst=rule.week_start,
        bymonth=months or None,
        bymonthday=month_days or None,
        byyearday=rule.by_year_day or None,
        byweekno=rule.by_week_no or None,
        bysetpos=rule.by_set_pos or None,
        byweekday=[lib.weekday(day, n or None) for n, day in rule.by_day] or None,
    )
    return [one.date() for one in dates]


def moved(day: date, days: int) -> date:
    """Return a day moved, within what dates can say.

    >>> moved(date(2026, 12, 24), -24)
    datetime.date(2026, 11, 30)
    """
    number = day.toordinal() + days
    return date.fromordinal(min(max(number, 1), date.max.toordinal()))
