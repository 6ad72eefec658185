"""The recurrence rules of RFC 5545 that a schedule understands, as values.

A rule of DAILY or slower gives dates, one of HOURLY or MINUTELY is a cycle within each
day. What would need a clock of its own is refused with a sentence.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from sesam.errors import WrongUsage

CYCLES = {"MINUTELY": 1, "HOURLY": 60}
DATES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_COUNTED = 100_000
_MOST_PERIODS = 10_000
_LONGEST = 500
_DAY_MINUTES = 24 * 60
_number = re.compile(r"[+-]?\d{1,6}", re.ASCII)
_by_day = re.compile(r"([+-]?\d{1,2})?([A-Z]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, its parts in the order of the text.

    interval -- periods from one to the next; count -- dates in all, 0 = without end
    by_day   -- (n, weekday from 0 = Monday): the nth of the period, 0 = every one
    week_start -- weekday on which weeks begin
    """

    freq: str
    interval: int = 1
    count: int = 0
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    week_start: int = 0

    @property
    def is_cycle(self) -> bool:
        return self.freq in CYCLES

    @property
    def step_minutes(self) -> int:
        """Minutes from one start of a cycle to the next."""
        return CYCLES[self.freq] * self.interval

    @property
    def weekdays(self) -> frozenset[int]:
        """The weekdays of BYDAY."""
        return frozenset(day for _, day in self.by_day)


def schedule_text(text: str) -> str:
    """Return the rule of a schedule as it is kept. Raises WrongUsage."""
    bare = text.strip().upper().removeprefix("RRULE:")
    if parse_rule(bare).week_start:
        _refuse(bare, "weeks begin on Monday here", "leave WKST out")
    return bare


@lru_cache(maxsize=512)
def parse_rule(text: str) -> Rule:
    """Return the rule that a text is. Raises WrongUsage, with what it cannot be.

    >>> parse_rule("FREQ=MONTHLY;BYDAY=-1FR").by_day
    ((-1, 4),)
    """
    parts = _parts(text)
    freq = parts.pop("FREQ", "")
    if freq not in CYCLES and freq not in DATES:
        known = ", ".join((*CYCLES, *DATES))
        _refuse(text, f'FREQ is one of {known}, not "{freq}"')
    values: dict[str, object] = {}
    for key, value in parts.items():
        if key not in _READERS:
            _refuse(text, *_WHY_NOT.get(key, (f"{key} is not known", "")))
        name, read = _READERS[key]
        values[name] = read(text, key, value)
    rule = Rule(freq, **values)  # type: ignore[arg-type]
    _check_together(text, rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > _LONGEST:
        raise WrongUsage(f"a rule has no more than {_LONGEST} characters")
    found: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value:
            _refuse(text, f'"{part}" is no NAME=VALUE', "as FREQ=WEEKLY;BYDAY=SA,SU")
        if key in found:
            _refuse(text, f"{key} is there twice")
        found[key] = value
    return found


def _one(lowest: int, highest: int) -> Callable[[str, str, str], int]:
    def read(text: str, key: str, value: str) -> int:
        if not _number.fullmatch(value) or not lowest <= int(value) <= highest:
            _refuse(text, f'{key} is from {lowest} to {highest}, not "{value}"')
        return int(value)

    return read


def _several(
    highest: int, *, signed: bool = True
) -> Callable[[str, str, str], tuple[int, ...]]:
    def read(text: str, key: str, value: str) -> tuple[int, ...]:
        found = []
        for one in value.split(","):
            right = _number.fullmatch(one) and 1 <= abs(int(one)) <= highest
            if not right or (int(one) < 0 and not signed):
                ends = f"1 to {highest}" + (" or its negative" if signed else "")
                _refuse(text, f'{key} is from {ends}, not "{one}"')
            found.append(int(one))
        return tuple(dict.fromkeys(found))

    return read


def _read_by_day(text: str, key: str, value: str) -> tuple[tuple[int, int], ...]:
    found = []
    for one in value.split(","):
        hit = _by_day.fullmatch(one)
        if not hit or hit[2] not in WEEKDAYS or (hit[1] and not int(hit[1])):
            _refuse(text, f'"{one}" is no weekday', f"as {', '.join(WEEKDAYS)}, -1FR")
        found.append((int(hit[1] or 0), WEEKDAYS.index(hit[2])))
    return tuple(dict.fromkeys(found))


def _read_week_start(text: str, key: str, value: str) -> int:
    if value not in WEEKDAYS:
        _refuse(text, f'"{value}" is no weekday')
    return WEEKDAYS.index(value)


_READERS: dict[str, tuple[str, Callable[[str, str, str], object]]] = {
    "INTERVAL": ("interval", _one(1, _MOST_PERIODS)),
    "COUNT": ("count", _one(1, MOST_COUNTED)),
    "BYMONTH": ("by_month", _several(12, signed=False)),
    "BYMONTHDAY": ("by_month_day", _several(31)),
    "BYYEARDAY": ("by_year_day", _several(366)),
    "BYWEEKNO": ("by_week_no", _several(53)),
    "BYSETPOS": ("by_set_pos", _several(366)),
    "BYDAY": ("by_day", _read_by_day),
    "WKST": ("week_start", _read_week_start),
}
_TIME = ("the time of the day is that of --start", "--start HH:MM")
_WHY_NOT = {
    "UNTIL": ("the last date is that of --until", "leave UNTIL out: --until DATE"),
    "DTSTART": ("the first date is that of --from", "leave DTSTART out: --from DATE"),
    "BYHOUR": _TIME,
    "BYMINUTE": _TIME,
    "BYSECOND": _TIME,
}


def _check_together(text: str, rule: Rule) -> None:
    """Refuse parts that RFC 5545 (3.3.10) does not allow beside this FREQ."""
    if rule.is_cycle:
        _check_cycle(text, rule)
    if rule.by_week_no and rule.freq != "YEARLY":
        _refuse(text, "BYWEEKNO goes with FREQ=YEARLY alone")
    if rule.by_year_day and rule.freq != "YEARLY":
        _refuse(text, "BYYEARDAY goes with FREQ=YEARLY alone")
    if rule.by_month_day and rule.freq == "WEEKLY":
        _refuse(text, "BYMONTHDAY does not go with FREQ=WEEKLY")
    _check_ordinals(text, rule)
    others = (rule.by_month, rule.by_month_day, rule.by_year_day, rule.by_week_no)
    if rule.by_set_pos and not any((*others, rule.by_day)):
        _refuse(text, "BYSETPOS chooses among the dates of another BY part")


def _check_ordinals(text: str, rule: Rule) -> None:
    ordinals = [n for n, _ in rule.by_day if n]
    if ordinals and (rule.freq not in ("MONTHLY", "YEARLY") or rule.by_week_no):
        _refuse(text, "a numbered weekday goes with FREQ=MONTHLY or YEARLY alone")
    most = 5 if rule.freq == "MONTHLY" or rule.by_month else 53
    if any(abs(n) > most for n in ordinals):
        _refuse(text, f"no weekday is there more than {most} times")


def _check_cycle(text: str, rule: Rule) -> None:
    if rule.count or rule.by_set_pos:
        _refuse(text, "COUNT and BYSETPOS go with FREQ=DAILY or slower")
    if rule.step_minutes >= _DAY_MINUTES:
        _refuse(text, "a cycle begins anew each day", "FREQ=DAILY;INTERVAL=2 and so on")


def _refuse(text: str, why: str, hint: str = "") -> NoReturn:
    raise WrongUsage(f'rule "{text}": {why}', hint=hint)
