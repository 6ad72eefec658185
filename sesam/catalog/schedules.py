"""Schedules in the catalog."""

from collections import defaultdict
from datetime import date, datetime, time
from typing import Any

from sesam.catalog.names import find, refuse_known, refuse_needed
from sesam.catalog.tables import (
    CalendarRow,
    EventRow,
    ScheduleCalendarRow,
    ScheduleRow,
)
from sesam.errors import CatalogDamaged
from sesam.rules.naming import check_name
from sesam.rules.schedule import Schedule

_SCHEDULE = "schedule"
# Names of calendars by (number of a schedule, whether they are to be avoided).
Names = defaultdict[tuple[int, bool], list[str]]


def list_schedules() -> list[Schedule]:
    """Return all schedules by name."""
    rows = ScheduleRow.select().order_by(ScheduleRow.name)
    names = _calendars()
    return [_record(row, names) for row in rows]


def get_schedule(name: str) -> Schedule:
    """Return a schedule. Raises NotFound."""
    row = find(ScheduleRow, _SCHEDULE, name)
    return _record(row, _calendars(ScheduleCalendarRow.schedule == row))


def add_schedule(schedule: Schedule) -> None:
    """Add a schedule, its `since` is when. Raises Conflict, WrongUsage, NotFound."""
    check_name(_SCHEDULE, schedule.name)
    refuse_known(ScheduleRow, _SCHEDULE, schedule.name)
    row = ScheduleRow.create(
        added_at=schedule.since, added_on=schedule.added, **_values(schedule)
    )
    _link(row, schedule)


def modify_schedule(schedule: Schedule) -> None:
    """Give the schedule of that name these values; when it was added stays.

    Raises NotFound for it and for its calendars.
    """
    row = find(ScheduleRow, _SCHEDULE, schedule.name)
    values = _values(schedule)
    ScheduleRow.update(**values).where(ScheduleRow.id == row.id).execute()
    _link(row, schedule)


def remove_schedule(name: str) -> None:
    """Remove a schedule. Raises NotFound, Protected while events follow it."""
    row = find(ScheduleRow, _SCHEDULE, name)
    events = EventRow.select().where(EventRow.schedule == row).limit(4)
    refuse_needed(_SCHEDULE, name, [("event", [one.name for one in events])])
    row.delete_instance()


def _record(row: Any, names: Names) -> Schedule:
    kept, avoided = (tuple(names[row.id, excepted]) for excepted in (False, True))
    return Schedule(
        name=row.name,
        start=_time(row.start),
        rule=row.rrule,
        between_end=None if row.between_end is None else _time(row.between_end),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        offset=row.offset_days,
        calendars=kept,
        except_calendars=avoided,
        life_time=row.life_minutes,
        enabled=row.enabled,
        added=row.added_on,
        since=row.since,
        note=row.note,
    )


def _calendars(*conditions: Any) -> Names:
    """Return the names of calendars, in order: of schedules that meet conditions."""
    link = ScheduleCalendarRow
    found: Any = (
        link.select(link.schedule, link.excepted, CalendarRow.name)
        .join(CalendarRow)
        .where(link.id.is_null(False), *conditions)
        .order_by(link.position)
    )
    names: Names = defaultdict(list)
    for schedule, excepted, name in found.tuples():
        names[schedule, bool(excepted)].append(name)
    return names


def _values(schedule: Schedule) -> dict[str, date | datetime | str | int | None]:
    ends = schedule.between_end
    return {
        "name": schedule.name,
        "start": f"{schedule.start:%H:%M}",
        "rrule": schedule.rule,
        "enabled": schedule.enabled,
        "since": schedule.since,
        "between_end": f"{ends:%H:%M}" if ends else None,
        "valid_from": schedule.valid_from,
        "valid_until": schedule.valid_until,
        "offset_days": schedule.offset,
        "life_minutes": schedule.life_time,
        "note": schedule.note,
    }


def _link(row: Any, schedule: Schedule) -> None:
    link = ScheduleCalendarRow
    link.delete().where(link.schedule == row).execute()
    for excepted, names in ((0, schedule.calendars), (1, schedule.except_calendars)):
        for position, name in enumerate(dict.fromkeys(names)):
            calendar = find(CalendarRow, "calendar", name)
            link.create(
                schedule=row, calendar=calendar, position=position, excepted=excepted
            )


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise CatalogDamaged(f'the catalog holds "{text}": no time of a day') from error
