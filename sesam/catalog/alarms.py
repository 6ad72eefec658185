"""Alarms: what is not as it should be, told once when it begins, then by reminders.

Whoever changes an alarm's row posts its notice, in the same transaction: of two
processes at once one alone.
"""

from datetime import datetime
from typing import NamedTuple

from peewee import IntegrityError

from sesam.catalog import notices
from sesam.catalog.fields import WordsField
from sesam.catalog.tables import AlarmRow, database

BEGINS, REMINDER, OVER = "alarm", "reminder", "over"


class Alarm(NamedTuple):
    """kind, object -- what it is about; text -- a sentence."""

    id: int
    kind: str
    object: str
    text: str
    since: datetime
    remind_at: datetime | None
    reminders: int


def open_alarms() -> list[Alarm]:
    """Return the alarms that are not over, by kind and object."""
    rows = AlarmRow.select().where(AlarmRow.over_at.is_null())
    return [
        Alarm(
            row.id,
            row.kind,
            row.object,
            row.text,
            row.since,
            row.remind_at,
            row.reminders,
        )
        for row in rows.order_by(AlarmRow.kind, AlarmRow.object)
    ]


def begin(
    kind: str, name: str, text: str, now: datetime, remind_at: datetime | None
) -> None:
    """Begin an alarm, if it has not begun; within `change`."""
    try:
        with database.atomic():
            row = AlarmRow.create(
                kind=kind,
                object=name,
                text=text,
                since=now,
                remind_at=remind_at,
                reminders=0,
            )
    except IntegrityError:
        return
    _tell(Alarm(row.id, kind, name, text, now, remind_at, 0), BEGINS, now)


def remind(alarm: Alarm, text: str, now: datetime, remind_at: datetime | None) -> None:
    """Tell of an alarm once more; within `change`."""
    changed = AlarmRow.update(
        remind_at=remind_at, reminders=AlarmRow.reminders + 1, text=text
    ).where(
        AlarmRow.id == alarm.id,
        AlarmRow.reminders == alarm.reminders,
        AlarmRow.over_at.is_null(),
    )
    if changed.execute():
        again = alarm._replace(text=text, reminders=alarm.reminders + 1)
        _tell(again, REMINDER, now)


def end(alarm: Alarm, now: datetime) -> None:
    """An alarm is over; within `change`."""
    changed = AlarmRow.update(over_at=now, remind_at=None).where(
        AlarmRow.id == alarm.id, AlarmRow.over_at.is_null()
    )
    if changed.execute():
        _tell(alarm, OVER, now)


def missing_copies() -> list[tuple[str, tuple[str, ...]]]:
    """Return (saveset, media) of copies that are missing."""
    # In literals: the partial index is found by the very words of its condition.
    rows = database.execute_sql(
        "SELECT s.name, c.media FROM copy c JOIN saveset s ON s.id = c.saveset_id"
        " WHERE c.state = 'missing' ORDER BY c.id"
    )
    read = WordsField().python_value
    return [(name, read(media)) for name, media in rows]


def _tell(alarm: Alarm, state: str, now: datetime) -> None:
    before = {BEGINS: "", REMINDER: "still: ", OVER: "over: "}[state]
    facts = {
        "state": state,
        "text": alarm.text,
        "since": alarm.since.isoformat(),
        "reminders": alarm.reminders,
    }
    notices.post(
        notices.ALARM,
        alarm.kind,
        alarm.object,
        before + alarm.text,
        now=now,
        facts=facts,
    )
