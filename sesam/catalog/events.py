"""Events in the catalog."""

from datetime import datetime
from typing import Any

from sesam.catalog import quick
from sesam.catalog.fields import instant_text
from sesam.catalog.names import find, find_or_none, refuse_known, refuse_needed
from sesam.catalog.tables import (
    DriveGroupRow,
    DriveRow,
    EventRow,
    MediaPoolRow,
    ScheduleRow,
    TaskGroupRow,
    TaskRow,
)
from sesam.rules.decision import EventType
from sesam.rules.event import Event
from sesam.rules.naming import check_name
from sesam.terms import Level

_EVENT = "event"
_DETAILS = (
    *("action", "command", "arguments", "user", "time_limit"),
    *("target", "retries", "retry_after"),
)
_REFERENCES = (
    ("schedule", ScheduleRow, "schedule"),
    ("task", TaskRow, "task"),
    ("group", TaskGroupRow, "task group"),
    ("pool", MediaPoolRow, "media pool"),
    ("drive", DriveRow, "drive"),
    ("drive_group", DriveGroupRow, "drive group"),
    ("follow", EventRow, _EVENT),
)


def list_events() -> list[Event]:
    """Return all events by name."""
    names = _names()
    rows = EventRow.select().order_by(EventRow.name)
    return [_record(row, names) for row in rows]


def get_event(name: str) -> Event:
    """Return an event. Raises NotFound."""
    return _record(find(EventRow, _EVENT, name), _names())


def add_event(event: Event, now: datetime) -> None:
    """Add an event. Raises Conflict, WrongUsage, NotFound for what it refers to."""
    check_name(_EVENT, event.name)
    refuse_known(EventRow, _EVENT, event.name)
    values = _values(event)
    next_at = event.since if event.schedule else None
    EventRow.create(name=event.name, added_at=now, next_at=next_at, **values)


def modify_event(event: Event) -> None:
    """Give the event of that name these values. Raises NotFound."""
    row = find(EventRow, _EVENT, event.name)
    EventRow.update(**_values(event)).where(EventRow.id == row.id).execute()


def remove_event(name: str) -> None:
    """Remove an event. Raises NotFound, Protected while others follow it."""
    row = find(EventRow, _EVENT, name)
    after = EventRow.select().where(EventRow.follow == row).limit(4)
    refuse_needed(_EVENT, name, [(_EVENT, [one.name for one in after])])
    row.delete_instance()


def due(now: datetime) -> list[tuple[str, datetime]]:
    """Return (name, since when) of the events that have an occurrence by now.

    One look into an index, whatever the number of events.
    """
    query = EventRow.select(EventRow.name, EventRow.next_at).where(
        EventRow.next_at <= now
    )
    return [(row.name, row.next_at) for row in query.order_by(EventRow.next_at)]


def next_due(now: datetime) -> datetime | None:
    """Return when the next event is due after now, None where none is."""
    query = EventRow.select(EventRow.next_at).where(EventRow.next_at > now)
    row = query.order_by(EventRow.next_at).first()
    return row.next_at if row else None


def next_starts() -> dict[str, datetime]:
    """Return by name from when on the occurrences of events are not in the sheet."""
    query = EventRow.select(EventRow.name, EventRow.next_at)
    return {row.name: row.next_at for row in query if row.next_at is not None}


def move_on(name: str, since: datetime, later: datetime | None) -> bool:
    """The occurrences from `since` on are in the sheet; False where others did it.

    later -- the next one, None where there is none
    """
    instants = [one and instant_text(one) for one in (later, since)]
    statement = "UPDATE event SET next_at = ? WHERE name = ? AND next_at = ?"
    return bool(quick.run(statement, instants[0], name, instants[1]).rowcount)


def begin_at(name: str, moment: datetime | None) -> None:
    """An event has occurrences from a moment on, None = of no schedule."""
    EventRow.update(next_at=moment).where(EventRow.name == name).execute()


def look_again(now: datetime, *, schedule: str = "") -> None:
    """Let the next tick find out when events start; schedule -- those of it alone."""
    changed = EventRow.update(next_at=now).where(
        EventRow.schedule.is_null(False),
        EventRow.next_at.is_null() | (EventRow.next_at > now),
    )
    if schedule:
        changed = changed.where(
            EventRow.schedule.in_(
                ScheduleRow.select(ScheduleRow.id).where(ScheduleRow.name == schedule)
            )
        )
    changed.execute()


def find_event(name: str) -> Event | None:
    """Return an event, None where there is none."""
    row = EventRow.get_or_none(EventRow.name == name)
    return None if row is None else _record(row, _names())


def followers(name: str) -> list[Event]:
    """Return the events that follow an event, switched off ones too."""
    row = EventRow.get_or_none(EventRow.name == name)
    if row is None:
        return []
    query = EventRow.select().where(EventRow.follow == row)
    if not query.exists():
        return []
    names = _names()
    return [_record(one, names) for one in query.order_by(EventRow.name)]


def _names() -> dict[str, dict[int, str]]:
    """Return what events refer to, by field: names by number, one query a table."""
    found = {}
    for field, table, _ in _REFERENCES:
        rows: Any = table.select(table.id, table.name).tuples()
        found[field] = dict(rows)
    return found


def _record(row: Any, names: dict[str, dict[int, str]]) -> Event:
    numbers = row.__data__
    named: dict[str, Any] = {
        field: names[field][numbers[field]] if numbers[field] else ""
        for field, _, _ in _REFERENCES
    }
    details = {key: row.details[key] for key in _DETAILS if key in row.details}
    details["arguments"] = tuple(details.get("arguments", ()))
    return Event(
        name=row.name,
        type=EventType(row.type),
        level=Level(row.level) if row.level else None,
        priority=row.priority,
        blocking=row.blocking,
        fallback=row.fallback,
        follow_on=row.follow_on,
        note=row.note,
        enabled=row.enabled,
        since=row.since,
        **named,
        **details,
    )


def _values(event: Event) -> dict[str, object]:
    return {
        "type": event.type.value,
        "priority": event.priority,
        "enabled": event.enabled,
        "blocking": event.blocking,
        "fallback": event.fallback,
        "follow_on": event.follow_on,
        "level": event.level.value if event.level else "",
        "details": {key: getattr(event, key) for key in _DETAILS},
        "note": event.note,
        "since": event.since,
        **{
            field: find_or_none(row, what, getattr(event, field))
            for field, row, what in _REFERENCES
        },
    }
