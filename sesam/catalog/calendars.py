"""Custom calendars in the catalog."""

from datetime import date
from typing import Any

from sesam.catalog.names import find, refuse_known, refuse_needed
from sesam.catalog.tables import (
    CalendarDateRow,
    CalendarRow,
    ScheduleCalendarRow,
    ScheduleRow,
)
from sesam.rules.naming import check_name
from sesam.rules.schedule import Calendar

_CALENDAR = "calendar"
# Rows of one statement: SQLite takes 32,766 values.
_AT_ONCE = 5_000


def list_calendars() -> list[Calendar]:
    """Return all calendars by name, with their dates."""
    rows = CalendarRow.select().order_by(CalendarRow.name)
    return [_record(row) for row in rows]


def get_calendar(name: str) -> Calendar:
    """Return a calendar. Raises NotFound."""
    return _record(find(CalendarRow, _CALENDAR, name))


def dates_of(name: str) -> list[date]:
    """Return the dates of a calendar, in order. Raises NotFound."""
    calendar = find(CalendarRow, _CALENDAR, name)
    return [row.day for row in _dates(calendar)]


def add_calendar(calendar: Calendar) -> None:
    """Add a calendar. Raises Conflict, WrongUsage."""
    check_name(_CALENDAR, calendar.name)
    refuse_known(CalendarRow, _CALENDAR, calendar.name)
    row = CalendarRow.create(name=calendar.name, note=calendar.note)
    _fill(row, calendar)


def modify_calendar(calendar: Calendar) -> None:
    """Give the calendar of that name these dates and note. Raises NotFound."""
    row = find(CalendarRow, _CALENDAR, calendar.name)
    CalendarRow.update(note=calendar.note).where(CalendarRow.id == row.id).execute()
    _fill(row, calendar)


def remove_calendar(name: str) -> None:
    """Remove a calendar. Raises NotFound, Protected while schedules refer to it."""
    row = find(CalendarRow, _CALENDAR, name)
    users = (
        ScheduleRow.select()
        .join(ScheduleCalendarRow)
        .where(ScheduleCalendarRow.calendar == row)
        .order_by(ScheduleRow.name)
        .limit(4)
    )
    refuse_needed(_CALENDAR, name, [("schedule", [one.name for one in users])])
    row.delete_instance()


def _record(row: Any) -> Calendar:
    found = list(_dates(row))
    named = {one.day.isoformat(): one.summary for one in found if one.summary}
    return Calendar(row.name, tuple(one.day for one in found), named, row.note)


def _dates(row: Any) -> Any:
    return (
        CalendarDateRow.select()
        .where(CalendarDateRow.calendar == row)
        .order_by(CalendarDateRow.day)
    )


def _fill(row: Any, calendar: Calendar) -> None:
    CalendarDateRow.delete().where(CalendarDateRow.calendar == row).execute()
    days = sorted(set(calendar.dates))
    rows = [(row.id, day, calendar.summaries.get(day.isoformat(), "")) for day in days]
    columns = [
        CalendarDateRow.calendar,
        CalendarDateRow.day,
        CalendarDateRow.summary,
    ]
    for begin in range(0, len(rows), _AT_ONCE):
        CalendarDateRow.insert_many(rows[begin : begin + _AT_ONCE], columns).execute()
