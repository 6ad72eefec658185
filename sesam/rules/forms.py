"""Forms for people that say a rule: every 15min, weekly sat,sun, monthly last-fri.

Each returns the text of an RRULE, or refuses with what it would understand.
"""

import re
from typing import NoReturn

from sesam.errors import WrongUsage
from sesam.rules.rrule import CYCLES, WEEKDAYS

DAY_NAMES = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
ORDINALS = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "last": -1,
}
WORKDAYS, WEEKEND = "MO,TU,WE,TH,FR", "SA,SU"
# Kinds of day of which the nth is meant.
_CLASSES = {
    "weekday": WORKDAYS,
    "workday": WORKDAYS,
    "weekend-day": WEEKEND,
    "weekendday": WEEKEND,
}
_UNITS = {
    "MINUTELY": ("min", "mins", "minute", "minutes"),
    "HOURLY": ("h", "hour", "hours"),
    "DAILY": ("d", "day", "days"),
    "WEEKLY": ("w", "week", "weeks"),
}
# The one date of this rule is the first one of the schedule.
ONCE = "FREQ=DAILY;COUNT=1"
_every = re.compile(r"(\d{1,5})?\s*([a-z]+)", re.ASCII)
_number = re.compile(r"-?\d{1,2}", re.ASCII)
_month_day = re.compile(r"(\d{1,2})-(-?\d{1,2})", re.ASCII)
_DAY_MINUTES = 24 * 60
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# A day of a month: BYMONTHDAY, BYDAY or BYSETPOS; its value; and BYSETPOS of what.
Item = tuple[str, str, str]


def every(text: str, weekdays: str = "") -> str:
    """Return the rule of `--every`, perhaps on the weekdays of `--weekly`.

    >>> every("15min"), every("2w", "sat")
    ('FREQ=MINUTELY;INTERVAL=15', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA')
    """
    hit = _every.fullmatch(text.strip().lower())
    freqs = [freq for freq, names in _UNITS.items() if hit and hit[2] in names]
    if not hit or not freqs or not int(hit[1] or 1):
        _refuse("--every", text, "no number of min, h, d or w", "as 15min, 2h, 3d, 2w")
    number, freq = int(hit[1] or 1), freqs[0]
    if freq == "DAILY" and weekdays:
        _refuse("--every", text, "days do not go with --weekly", "--every 2w")
    if number * CYCLES.get(freq, 0) >= _DAY_MINUTES:
        days = max(1, number * CYCLES[freq] // _DAY_MINUTES)
        why = "a cycle begins anew each day, so its step is less than 24 hours"
        _refuse("--every", text, why, f"--every {days}d")
    rule = f"FREQ={freq}" + (f";INTERVAL={number}" if number > 1 else "")
    return f"{rule};BYDAY={_weekdays(weekdays)}" if weekdays else rule


def weekly(text: str) -> str:
    """Return the rule of `--weekly`.

    >>> weekly("sat,sun"), weekly("mon-fri")
    ('FREQ=WEEKLY;BYDAY=SA,SU', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR')
    """
    return f"FREQ=WEEKLY;BYDAY={_weekdays(text)}"


def monthly(text: str) -> str:
    """Return the rule of `--monthly`.

    >>> monthly("1,15,-1"), monthly("last-fri")
    ('FREQ=MONTHLY;BYMONTHDAY=1,15,-1', 'FREQ=MONTHLY;BYDAY=-1FR')
    """
    items = []
    for one in _words(text):
        item = _of_month(one)
        if item is None:
            known = "as 15, -1, last-day, first-workday, 2nd-sat, last-fri"
            _refuse("--monthly", one, "no day of a month", known)
        items.append(item)
    parts = _joined(items)
    if parts is None:
        why = "these are days of several kinds, which no single rule gives"
        _refuse("--monthly", text, why, "a schedule for each of them")
    return f"FREQ=MONTHLY;{parts}"


def yearly(text: str) -> str:
    """Return the rule of `--yearly`.

    >>> yearly("12-24"), yearly("last-sun-mar")
    ('FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU')
    """
    pairs = [_of_year(one) for one in _words(text)]
    months = sorted({month for month, _ in pairs})
    items = list(dict.fromkeys(item for _, item in pairs))
    parts = _joined(items)
    if parts is None or len(set(pairs)) != len(months) * len(items):
        hint = "a calendar holds any dates: sm_schedule calendar add NAME --date DATE"
        _refuse("--yearly", text, "no single rule gives these dates alone", hint)
    # The nth workday is counted within each month, not within the year.
    several = "BYSETPOS" in parts and len(months) > 1
    chosen = ",".join(map(str, months))
    return f"FREQ={'MONTHLY' if several else 'YEARLY'};BYMONTH={chosen};{parts}"


def _words(text: str) -> list[str]:
    return [one.strip() for one in text.lower().split(",")]


def _weekday(word: str) -> int | None:
    """Return the weekday that a word names: `sat`, `sa`, `saturday`."""
    for number, name in enumerate(DAY_NAMES):
        if word in (name, name[:3], name[:2]):
            return number
    return None


def _month(word: str) -> int | None:
    for number, name in enumerate(MONTH_NAMES, 1):
        if word in (name, name[:3]):
            return number
    return None


def _weekdays(text: str) -> str:
    found: list[int] = []
    for one in _words(text):
        begin, dash, end = one.partition("-")
        first, last = _weekday(begin), _weekday(end if dash else begin)
        if first is None or last is None:
            _refuse("--weekly", one, "no weekday", "as sat, sun, mon-fri")
        found += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    return ",".join(WEEKDAYS[day] for day in sorted(set(found)))


def _of_month(word: str) -> Item | None:
    """Return the day of a month that a word names, None for no such word."""
    if _number.fullmatch(word) and 1 <= abs(int(word)) <= 31:
        return "BYMONTHDAY", str(int(word)), ""
    ordinal, _, kind = word.partition("-")
    if ordinal not in ORDINALS:
        return None
    number = ORDINALS[ordinal]
    if kind == "day":
        return "BYMONTHDAY", str(number), ""
    if kind in _CLASSES:
        return "BYSETPOS", str(number), _CLASSES[kind]
    weekday = _weekday(kind)
    return None if weekday is None else ("BYDAY", f"{number}{WEEKDAYS[weekday]}", "")


def _of_year(word: str) -> tuple[int, Item]:
    hit = _month_day.fullmatch(word)
    item = None
    if hit:
        month, item = int(hit[1]), _of_month(hit[2])
    else:
        day, _, name = word.rpartition("-")
        month, item = _month(name) or 0, _of_month(day)
    if item is None or not 1 <= month <= 12:
        known = "as 12-24, last-sun-mar, last-day-feb, first-workday-jan"
        _refuse("--yearly", word, "no day of a year", known)
    if item[0] == "BYMONTHDAY" and abs(int(item[1])) > _DAYS_OF_MONTH[month - 1]:
        name, days = MONTH_NAMES[month - 1].title(), _DAYS_OF_MONTH[month - 1]
        _refuse("--yearly", word, f"{name} has {days} days")
    return month, item


def _joined(items: list[Item]) -> str | None:
    """Return the parts of one rule that gives all of these days, None if none does."""
    kinds = {(key, among) for key, _, among in items}
    if len(kinds) > 1:
        return None
    ((key, among),) = kinds
    values = ",".join(dict.fromkeys(value for _, value, _ in items))
    return f"BYDAY={among};{key}={values}" if among else f"{key}={values}"


def _refuse(option: str, text: str, why: str, hint: str = "") -> NoReturn:
    raise WrongUsage(f'{option} "{text}": {why}', hint=hint)
