"""A schedule in words, as people say it; an unusual rule stays as it is written."""

from collections.abc import Sequence
from dataclasses import replace

from sesam.rules.forms import DAY_NAMES, MONTH_NAMES, WEEKEND, WORKDAYS
from sesam.rules.rrule import WEEKDAYS, Rule, parse_rule
from sesam.rules.schedule import Schedule

_PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_UNITS = {
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
_ADVERBS = {
    "DAILY": "daily",
    "WEEKLY": "weekly",
    "MONTHLY": "monthly",
    "YEARLY": "yearly",
}


def words(schedule: Schedule) -> str:
    """Return what a schedule does, in words.

    >>> from datetime import time
    >>> words(Schedule("w", time(18), "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"))
    'every 2 weeks on Saturday and Sunday at 18:00'
    """
    text = schedule.effective_rule
    calendars = _joined(schedule.calendars or ("",), "or")
    if text:
        found = _rule_words(schedule, text)
    else:
        found = f"on the dates of calendar {calendars} at {schedule.start:%H:%M}"
    if schedule.offset:
        found += f", moved by {schedule.offset:+d} {_plural('day', schedule.offset)}"
    if text and schedule.calendars:
        found += f", if in calendar {calendars}"
    if schedule.except_calendars:
        found += f", not in calendar {_joined(schedule.except_calendars, 'or')}"
    is_once = text and parse_rule(text).count == 1
    if schedule.valid_from and not is_once:
        found += f", from {schedule.valid_from}"
    return found + (f", until {schedule.valid_until}" if schedule.valid_until else "")


def _rule_words(schedule: Schedule, text: str) -> str:
    rule = parse_rule(text)
    if rule.is_cycle:
        ends = f"{schedule.between_end:%H:%M}" if schedule.between_end else "midnight"
        span = f" from {schedule.start:%H:%M} to {ends}"
        days = _days_of_rule(rule)
        return (f"by rule {text}" if days is None else _period(rule) + days) + span
    at = f" at {schedule.start:%H:%M}"
    if rule == Rule("DAILY", count=1):
        return f"once on {schedule.anchor}{at}"
    days = _days_of_rule(_completed(rule, schedule))
    if days is None:
        return f"by rule {text}{at}"
    times = f", {rule.count} {_plural('time', rule.count)}" if rule.count else ""
    return _period(rule) + days + at + times


def _completed(rule: Rule, schedule: Schedule) -> Rule:
    """Return the rule with the weekday or day that it leaves to its first date."""
    first = schedule.anchor
    if rule.freq == "WEEKLY" and not rule.by_day:
        return replace(rule, by_day=((0, first.weekday()),))
    days = (rule.by_month_day, rule.by_day, rule.by_year_day, rule.by_week_no)
    if rule.freq not in ("MONTHLY", "YEARLY") or any(days):
        return rule
    months = rule.by_month or ((first.month,) if rule.freq == "YEARLY" else ())
    return replace(rule, by_month=months, by_month_day=(first.day,))


def _period(rule: Rule) -> str:
    unit = _UNITS[rule.freq]
    if rule.interval > 1:
        return f"every {rule.interval} {unit}s"
    if rule.freq == "MONTHLY" and rule.by_month:
        return "yearly"
    return _ADVERBS.get(rule.freq, f"every {unit}")


def _days_of_rule(rule: Rule) -> str | None:
    """Return " on ..." for the days of a rule, "" for all, None for an unusual one."""
    chosen = [bool(rule.by_month_day), bool(rule.by_day)]
    monthly = rule.freq in ("MONTHLY", "YEARLY")
    if rule.by_year_day or rule.by_week_no or all(chosen):
        return None
    if not monthly and (rule.by_month_day or rule.by_month or rule.by_set_pos):
        return None
    if rule.freq == "DAILY" and rule.by_day and rule.interval > 1:
        return None
    month = ""
    # Days of a month, of every month of the year.
    if rule.freq == "YEARLY" and not rule.by_month:
        return None
    if rule.by_month:
        if not any(chosen) or (rule.freq, rule.interval > 1) == ("MONTHLY", True):
            return None
        month = " of " + _joined([MONTH_NAMES[n - 1].title() for n in rule.by_month])
    if rule.by_set_pos:
        found = _of_class(rule)
    elif rule.by_day:
        found = _weekdays(rule)
    else:
        found = _month_days(rule)
    return None if found is None else found + month


def _of_class(rule: Rule) -> str | None:
    """Return the first workday and the like."""
    classes = {WORKDAYS: "workday", WEEKEND: "weekend day"}
    kind = classes.get(",".join(f"{n or ''}{WEEKDAYS[d]}" for n, d in rule.by_day))
    counted = rule.freq == "MONTHLY" or (rule.freq, len(rule.by_month)) == ("YEARLY", 1)
    if not kind or not counted or not set(rule.by_set_pos) <= set(_PLACES):
        return None
    return f" on the {_joined([_PLACES[n] for n in rule.by_set_pos])} {kind}"


def _weekdays(rule: Rule) -> str | None:
    ordinals = {n for n, _ in rule.by_day}
    names = [DAY_NAMES[day].title() for _, day in rule.by_day]
    if ordinals == {0}:
        every = "every " if rule.freq in ("MONTHLY", "YEARLY") else ""
        days = sorted(rule.weekdays)
        if len(days) > 3 and days == list(range(days[0], days[-1] + 1)):
            first, last = (DAY_NAMES[day].title() for day in (days[0], days[-1]))
            return f" on {every}{first} to {last}"
        return f" on {every}{_joined(names)}"
    if not ordinals <= set(_PLACES):
        return None
    pairs = zip(rule.by_day, names, strict=True)
    return " on the " + _joined([f"{_PLACES[n]} {name}" for (n, _), name in pairs])


def _month_days(rule: Rule) -> str:
    if not rule.by_month_day:
        return ""
    return " on " + _joined([_month_day(n) for n in rule.by_month_day])


def _month_day(number: int) -> str:
    if number > 0:
        return f"day {number}"
    return "the last day" if number == -1 else f"day {-number} from the end"


def _joined(names: Sequence[str], link: str = "and") -> str:
    *most, last = names
    return f"{', '.join(most)} {link} {last}" if most else last


def _plural(unit: str, number: int) -> str:
    return unit if abs(number) == 1 else unit + "s"
