"""The instances of one event of an .ics file: RRULE, RDATE, EXDATE."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sesam.errors import WrongUsage
from sesam.rules.rrule import parse_rule
from sesam.rules.rule_dates import rule_dates
from sesam.rules.schedule import LAST_DAY

# A day of an all-day event, or an instant; one without a zone is the wall's.
Moment = date | datetime


@dataclass(frozen=True, slots=True)
class Instances:
    """start -- of the event; begins -- of its instances; endless -- it was cut off."""

    start: Moment
    begins: list[Moment]
    endless: bool


def instances(event: Any, horizon: date) -> Instances:
    """Return the instances of an event, without end up to `horizon`.

    Raises WrongUsage for a rule that is not understood.
    """
    start: Moment = event["DTSTART"].dt
    begins: dict[Moment, Moment] = {moment_key(start, start): start}
    endless = False
    for rule in _several(event, "RRULE"):
        days, is_cut = _repeated(rule, start, horizon)
        endless |= is_cut
        for begin in (_on(day, start) for day in days):
            begins[moment_key(begin, start)] = begin
    for begin in moments(event, "RDATE"):
        begins[moment_key(begin, start)] = begin
    for left_out in moments(event, "EXDATE"):
        key = moment_key(left_out, start)
        begins.pop(key, None)
        if not isinstance(key, datetime) and isinstance(start, datetime):
            # A day leaves out whatever is on it.
            for one in [one for one in begins if _day(one) == key]:
                del begins[one]
    return Instances(start, list(begins.values()), endless)


def moment_key(moment: Moment, start: Moment) -> Moment:
    """Return by what an instance of an event is known: its wall-clock time there."""
    if not isinstance(start, datetime):
        return _day(moment)
    if isinstance(moment, datetime) and moment.tzinfo and start.tzinfo:
        return moment.astimezone(start.tzinfo).replace(tzinfo=None)
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def moments(event: Any, key: str) -> Iterator[Moment]:
    """Yield the days and instants of a property; of a period its begin."""
    for value in _several(event, key):
        for one in getattr(value, "dts", [value]):
            yield one.dt[0] if isinstance(one.dt, tuple) else one.dt


def _several(event: Any, key: str) -> list[Any]:
    found = event.get(key, [])
    return found if isinstance(found, list) else [found]


def _repeated(recur: Any, start: Moment, horizon: date) -> tuple[Iterator[date], bool]:
    """Return the dates of a rule, and whether only the horizon ends them."""
    parts = recur.to_ical().decode().upper().split(";")
    rule = parse_rule(";".join(one for one in parts if not one.startswith("UNTIL=")))
    if rule.is_cycle:
        raise WrongUsage("an event that repeats within a day is not understood")
    anchor = _day(start)
    untils = recur.get("UNTIL", [])
    last = LAST_DAY
    for until in untils if isinstance(untils, list) else [untils]:
        last = min(last, _last_day(until, start))
    if rule.count or untils:
        return rule_dates(rule, anchor, anchor, last), False
    return rule_dates(rule, anchor, anchor, horizon), True


def _last_day(until: Moment, start: Moment) -> date:
    """Return the last date on which an event may begin that repeats until then."""
    if not isinstance(until, datetime) or not isinstance(start, datetime):
        return _day(until)
    if until.tzinfo is None:
        until = until.replace(tzinfo=start.tzinfo or UTC)
    if start.tzinfo:
        until = until.astimezone(start.tzinfo)
    late = until.time() < start.time()
    return date.fromordinal(until.toordinal() - late)


def _on(day: date, start: Moment) -> Moment:
    if not isinstance(start, datetime):
        return day
    return datetime.combine(day, start.time(), tzinfo=start.tzinfo)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
