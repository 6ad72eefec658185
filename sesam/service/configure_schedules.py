"""Changing schedules: checked as a whole, then one transaction; and when they start."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sesam.catalog import calendars, events, newdays, schedules
from sesam.errors import Protected, WrongUsage
from sesam.rules.backup_day import wall_clock
from sesam.rules.newdays import check_newday
from sesam.rules.recurrence import check_schedule, starts
from sesam.rules.schedule import FIRST_DAY, LAST_DAY, NEWDAY, Schedule
from sesam.rules.wishes import asked
from sesam.rules.words import words
from sesam.service.configure import Kind, changing, removing
from sesam.service.ground.site import Site

_AHEAD = timedelta(days=36_525)
# These do not say when it starts: a change of them makes no new occurrences.
_ASIDE: dict[str, Any] = {"life_time": 0, "note": "", "since": None, "enabled": True}
_UNSET = time.max
_SCHEDULE = Kind("schedule", schedules.get_schedule)


def facts(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as a row: rule, the same in words, and what limits it."""
    ends = schedule.between_end
    return {
        "name": schedule.name,
        "start": f"{schedule.start:%H:%M}",
        "rule": schedule.effective_rule,
        "words": words(schedule),
        "between": f"{schedule.start:%H:%M}-{ends:%H:%M}" if ends else "",
        "from": schedule.valid_from,
        "until": schedule.valid_until,
        "offset": schedule.offset,
        "calendars": schedule.calendars,
        "except_calendars": schedule.except_calendars,
        "life_time": schedule.life_time,
        "enabled": schedule.enabled,
        "added": schedule.added,
        "since": schedule.since,
        "note": schedule.note,
    }


def add_schedule(here: Site, name: str, wishes: Mapping[str, Any]) -> None:
    """Add a schedule. Raises Conflict, WrongUsage, NotFound for a calendar.

    wishes -- what rules.wishes.asked takes
    The rule counts from `valid_from`, else from today in the site's zone.
    """
    now = here.clock()
    today = now.astimezone(here.zone).date()
    made = asked(Schedule(name, _UNSET, added=today, since=now), wishes)
    if made.start == _UNSET:
        raise WrongUsage(f'schedule "{name}" has no start', hint="--start HH:MM")
    check_schedule(made)
    changing(here, _SCHEDULE, made.name, lambda: schedules.add_schedule(made), new=True)


def modify_schedule(here: Site, name: str, wishes: Mapping[str, Any]) -> None:
    """Change a schedule. Raises NotFound, WrongUsage.

    A change of when it starts holds from now on, that of NEWDAY from tomorrow on.
    """
    now = here.clock()

    def change() -> None:
        was = schedules.get_schedule(name)
        made = asked(was, wishes)
        changed = replace(made, **_ASIDE) != replace(was, **_ASIDE)
        if name == NEWDAY:
            check_newday(made)
            if changed:
                tomorrow = now.astimezone(here.zone).date() + timedelta(days=1)
                newdays.add_version(tomorrow, made)
                here.look_again()
        else:
            check_schedule(made)
            if changed:
                made = replace(made, since=now)
        schedules.modify_schedule(made)
        events.look_again(now, schedule=name)

    changing(here, _SCHEDULE, name, change)


def switch_schedule(here: Site, name: str, *, on: bool) -> None:
    """Switch a schedule on or off; what it missed while off is not made up for.

    Raises NotFound, Protected for NEWDAY.
    """
    _refuse_newday(name)
    now = here.clock()

    def change() -> None:
        was = schedules.get_schedule(name)
        if was.enabled != on:
            since = now if on else was.since
            schedules.modify_schedule(replace(was, enabled=on, since=since))
            events.look_again(now, schedule=name)

    changing(here, _SCHEDULE, name, change)


def remove_schedule(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a schedule. Raises NotFound, Protected."""
    _refuse_newday(name)
    removing(here, _SCHEDULE, name, schedules.remove_schedule, dry_run=dry_run)


def _refuse_newday(name: str) -> None:
    if name == NEWDAY:
        raise Protected(f'schedule "{NEWDAY}" divides time into backup days')


def preview(
    here: Site,
    name: str,
    *,
    first: date | None,
    last: date | None,
    most: int | None,
) -> Iterator[dict[str, Any]]:
    """Yield the next starts of a schedule, whether it is on or off.

    first -- date on which to begin, None = now; last -- date included, None = no end;
    most -- starts in all. Raises NotFound, WrongUsage.
    """
    schedule = schedules.get_schedule(name)
    begin, end = _window(here, first, last)
    found: Iterator[datetime]
    if name == NEWDAY:
        found = here.newdays.starts(begin, end)
    else:
        found = starts(schedule, here.zone, begin, end, calendars.dates_of)
    for moment in islice(found, most):
        yield {"start_at": moment, "backup_day": here.backup_day(moment)}


def has_start_ahead(here: Site, name: str) -> bool:
    """Tell whether a schedule starts again, on or off. Raises NotFound."""
    return any(preview(here, name, first=None, last=None, most=1))


def _window(
    here: Site, first: date | None, last: date | None
) -> tuple[datetime, datetime]:
    for day in (first, last):
        if day and not FIRST_DAY < day <= LAST_DAY:
            raise WrongUsage(f"{day} is not after {FIRST_DAY} and up to {LAST_DAY}")
    if first and last and last < first:
        raise WrongUsage(f"--from {first} lies after --until {last}")
    begin = wall_clock(first, time(), here.zone) if first else here.clock()
    if last is None:
        return begin, begin + _AHEAD
    return begin, wall_clock(last + timedelta(1), time(), here.zone)
