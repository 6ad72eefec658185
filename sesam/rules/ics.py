"""Custom calendars from .ics files (RFC 5545): events in, dates out.

An event counts for every day it touches, in the site's zone. Recurring ones are
expanded, those without end to a day that the caller names; cancelled ones and excepted
instances are left out, moved ones count where they were moved to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sesam.errors import WrongUsage
from sesam.rules.ics_series import Moment, instances, moment_key, moments
from sesam.rules.schedule import FIRST_DAY, LAST_DAY

MOST_DAYS = 100_000
_INSTANT = timedelta(microseconds=1)
_LONGEST_NAME = 200
# A value of these that cannot be read would change the dates.
_TELLING = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


@dataclass(slots=True)
class Imported:
    """Days of a file with what they are called, and the events that have no end."""

    days: dict[date, str] = field(default_factory=dict)
    endless: list[str] = field(default_factory=list)

    def add(self, days: Iterable[date], name: str) -> None:
        name = " ".join(name.split())
        for day in days:
            known = self.days.get(day, "")
            both = f"{known}, {name}" if known and name not in known else known or name
            self.days[day] = both[:_LONGEST_NAME]
            if len(self.days) > MOST_DAYS:
                raise WrongUsage(f"the file gives more than {MOST_DAYS} days")


def read_ics(raw: bytes, zone: ZoneInfo, horizon: date) -> Imported:
    """Return the days of all events of a file. Raises WrongUsage.

    horizon -- last day to which events without end are expanded
    """
    series: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(_events(raw)):
        _check(event)
        series[str(event.get("UID") or number)].append(event)
    if not series:
        raise WrongUsage("the file holds no event")
    found = Imported()
    for events in series.values():
        try:
            _add_series(found, events, zone, horizon)
        except (WrongUsage, OverflowError, ValueError, TypeError) as error:
            raise WrongUsage(f'event "{_name(events[0])}": {error}') from error
    return found


def _events(raw: bytes) -> Iterator[Any]:
    from icalendar import Calendar

    try:
        calendars = Calendar.from_ical(raw, multiple=True)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise WrongUsage(f"the file is no calendar (.ics): {error}") from error
    for one in calendars:
        yield from one.walk("VEVENT")


def _check(event: Any) -> None:
    for key, why in event.errors:
        if key is None or str(key).upper() in _TELLING:
            raise WrongUsage(f'event "{_name(event)}": {key} cannot be read: {why}')
    if not isinstance(getattr(event.get("DTSTART"), "dt", None), date):
        raise WrongUsage(f'event "{_name(event)}" has no DTSTART')


def _name(event: Any) -> str:
    return str(event.get("SUMMARY") or event.get("UID") or "without a name")


def _add_series(
    found: Imported, events: list[Any], zone: ZoneInfo, horizon: date
) -> None:
    """Add the days of one event: what repeats, and its instances that were changed."""
    newest: dict[Moment | None, Any] = {}
    for event in sorted(events, key=lambda one: int(one.get("SEQUENCE", 0))):
        newest[_changed(event)] = event
    whole = newest.pop(None, None)
    if whole is not None and _is_cancelled(whole):
        return
    if whole is not None:
        repeated = instances(whole, horizon)
        if repeated.endless:
            found.endless.append(_name(whole))
        changed = {moment_key(one, repeated.start) for one in newest if one}
        for begin in repeated.begins:
            if moment_key(begin, repeated.start) not in changed:
                found.add(_touched(whole, begin, zone), _name(whole))
    for event in newest.values():
        if not _is_cancelled(event):
            found.add(_touched(event, event["DTSTART"].dt, zone), _name(event))


def _changed(event: Any) -> Moment | None:
    """Return which instance an event replaces, None for the event itself."""
    if "RECURRENCE-ID" not in event:
        return None
    if "RANGE" in event["RECURRENCE-ID"].params:
        raise WrongUsage("a change of this and all later instances is not understood")
    (found,) = moments(event, "RECURRENCE-ID")
    return found


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _touched(event: Any, begin: Moment, zone: ZoneInfo) -> list[date]:
    """Return the days that an instance touches in the site's zone."""
    length = _length(event)
    if not isinstance(begin, datetime):
        first, last = begin, begin + max(length, timedelta(1)) - timedelta(1)
    elif begin.tzinfo is None:
        first = begin.date()
        last = (begin + max(length - _INSTANT, timedelta())).date()
    else:
        moment = begin.astimezone(UTC)
        first = moment.astimezone(zone).date()
        end = moment + max(length - _INSTANT, timedelta())
        last = end.astimezone(zone).date()
    first, last = max(first, FIRST_DAY), min(last, LAST_DAY)
    if (last - first).days > MOST_DAYS:
        raise WrongUsage(f"it lasts more than {MOST_DAYS} days")
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _length(event: Any) -> timedelta:
    """Return how long each instance of an event lasts, 0 where it does not say."""
    start: Any = event["DTSTART"].dt
    if "DTEND" in event:
        end: Any = event["DTEND"].dt
        if isinstance(start, datetime) != isinstance(end, datetime):
            raise WrongUsage("it begins on a day and ends at a time, or the reverse")
        # Instants: on two sides of a change of the clocks the walls do not tell.
        if isinstance(start, datetime) and start.tzinfo and end.tzinfo:
            start, end = start.astimezone(UTC), end.astimezone(UTC)
        length: timedelta = end - start
    else:
        length = event["DURATION"].dt if "DURATION" in event else timedelta()
    if length < timedelta():
        raise WrongUsage("it ends before it begins")
    return length
