"""Changing custom calendars: dates by hand, from .ics files, of public holidays."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sesam.catalog import calendars, events
from sesam.errors import NotFound, WrongUsage
from sesam.rules.schedule import FIRST_DAY, LAST_DAY, Calendar
from sesam.service.configure import Kind, changing, removing
from sesam.service.ground.site import Site

# Years, after this one, to which what has no end is expanded.
YEARS_AHEAD = 10
_CALENDAR = Kind("calendar", calendars.get_calendar)


@dataclass(frozen=True, slots=True)
class Change:
    """dates to add and to remove; holidays -- place, "" = none; note -- None = as it is

    years -- first and last of the holidays, None = from this one on, YEARS_AHEAD
    """

    dates: tuple[date, ...] = ()
    removed: tuple[date, ...] = ()
    holidays: str = ""
    years: tuple[int, int] | None = None
    note: str | None = None


def facts(calendar: Calendar) -> dict[str, Any]:
    """Return a calendar as a row: its dates, and how many there are."""
    return {
        "name": calendar.name,
        "days": len(calendar.dates),
        "first": calendar.dates[0] if calendar.dates else None,
        "last": calendar.dates[-1] if calendar.dates else None,
        "dates": calendar.dates,
        "summaries": calendar.summaries,
        "note": calendar.note,
    }


def add_calendar(here: Site, name: str, change: Change) -> None:
    """Add a calendar. Raises Conflict, WrongUsage, RequestError."""
    made = _changed(here, Calendar(name), change)
    changing(here, _CALENDAR, made.name, lambda: calendars.add_calendar(made), new=True)


def modify_calendar(here: Site, name: str, change: Change) -> None:
    """Add and remove dates. Raises NotFound for the calendar or a date, WrongUsage."""

    def modify() -> None:
        made = _changed(here, calendars.get_calendar(name), change)
        calendars.modify_calendar(made)
        events.look_again(here.clock())

    changing(here, _CALENDAR, name, modify)


def remove_calendar(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a calendar. Raises NotFound, Protected while schedules refer to it."""
    removing(here, _CALENDAR, name, calendars.remove_calendar, dry_run=dry_run)


def import_calendar(
    here: Site, name: str, raw: bytes, *, horizon: date | None, replaces: bool
) -> list[str]:
    """Add the days of an .ics file to a calendar, which is made if there is none.

    horizon -- to which events without end are expanded, None = YEARS_AHEAD
    replaces -- the dates of before are dropped
    Returns what an admin is to know, as sentences. Raises WrongUsage.
    """
    from sesam.rules.ics import read_ics

    until = horizon or date(_year(here) + YEARS_AHEAD, 12, 31)
    _check_days((until,))
    found = read_ics(raw, here.zone, until)
    named = {str(day): summary for day, summary in found.days.items()}

    def change() -> None:
        try:
            was = calendars.get_calendar(name)
        except NotFound:
            was = Calendar(name)
            calendars.add_calendar(was)
        base = replace(was, dates=(), summaries={}) if replaces else was
        calendars.modify_calendar(_with(base, found.days, named))
        events.look_again(here.clock())

    changing(here, _CALENDAR, name, change)
    names = sorted(set(found.endless))
    some = ", ".join(f'"{one}"' for one in names[:3])
    more = " and others" if len(names) > 3 else ""
    cut = f"without end in the file, and here up to {until}: {some}{more}"
    return [cut] if names else []


def export_calendar(here: Site, name: str) -> bytes:
    """Return a calendar as an .ics file. Raises NotFound."""
    from sesam.rules.ics_write import write_ics

    return write_ics(calendars.get_calendar(name), here.clock())


def _changed(here: Site, calendar: Calendar, change: Change) -> Calendar:
    _check_days(change.dates)
    missing = [day for day in change.removed if day not in calendar.dates]
    if missing:
        raise NotFound(f'calendar "{calendar.name}" does not hold {missing[0]}')
    holidays = _holidays(here, change)
    named = {str(day): summary for day, summary in holidays.items()}
    made = _with(calendar, (*change.dates, *holidays), named)
    left = tuple(day for day in made.dates if day not in change.removed)
    note = calendar.note if change.note is None else change.note
    return _with(replace(made, dates=left, note=note), (), {})


def _with(calendar: Calendar, days: Iterable[date], named: dict[str, str]) -> Calendar:
    dates = tuple(sorted({*calendar.dates, *days}))
    known = {str(day) for day in dates}
    both = {**calendar.summaries, **{day: name for day, name in named.items() if name}}
    summaries = {day: both[day] for day in sorted(both) if day in known}
    return replace(calendar, dates=dates, summaries=summaries)


def _holidays(here: Site, change: Change) -> dict[date, str]:
    if not change.holidays:
        if change.years:
            raise WrongUsage("--years goes with --holidays")
        return {}
    from sesam.rules.holiday_dates import holiday_dates

    year = _year(here)
    first, last = change.years or (year, year + YEARS_AHEAD)
    if not FIRST_DAY.year <= first <= last <= LAST_DAY.year or last - first > 100:
        raise WrongUsage(f"--years {first}-{last} is no span of at most 100 years")
    found = holiday_dates(change.holidays, first, last)
    if not found:
        raise WrongUsage(
            f'no holidays are known of "{change.holidays}" in {first} to {last}'
        )
    return found


def _check_days(days: Iterable[date]) -> None:
    for day in days:
        if not FIRST_DAY <= day <= LAST_DAY:
            raise WrongUsage(f"{day} is not from {FIRST_DAY} to {LAST_DAY}")


def _year(here: Site) -> int:
    return here.clock().astimezone(here.zone).year
