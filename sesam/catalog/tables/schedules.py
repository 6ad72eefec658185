"""Tables of the calendar: schedules, custom calendars, events."""

from peewee import BigAutoField, BigIntegerField, ForeignKeyField, TextField

from sesam.catalog.fields import DayField, FlagField, InstantField
from sesam.catalog.tables.base import Row
from sesam.catalog.tables.configuration import Named


class ScheduleRow(Named):
    """When something starts; times of the day are HH:MM in the site's zone."""

    start = TextField()
    rrule = TextField()
    enabled = FlagField()
    added_at = InstantField()
    added_on = DayField()
    since = InstantField(null=True)
    between_end = TextField(null=True)
    valid_from = DayField(null=True)
    valid_until = DayField(null=True)
    offset_days = BigIntegerField()
    life_minutes = BigIntegerField()
    note = TextField()

    class Meta:
        table_name = "schedule"


class CalendarRow(Named):
    note = TextField()

    class Meta:
        table_name = "calendar"


class CalendarDateRow(Row):
    id = BigAutoField()
    calendar = ForeignKeyField(CalendarRow, column_name="calendar_id", index=False)
    day = DayField()
    summary = TextField()

    class Meta:
        table_name = "calendar_date"


class ScheduleCalendarRow(Row):
    """A calendar that a schedule keeps to, or avoids: `excepted`."""

    id = BigAutoField()
    schedule = ForeignKeyField(ScheduleRow, column_name="schedule_id", index=False)
    calendar = ForeignKeyField(CalendarRow, column_name="calendar_id", index=False)
    position = BigIntegerField()
    excepted = FlagField()

    class Meta:
        table_name = "schedule_calendar"


class EventRow(Named):
    type = TextField()
    schedule = ForeignKeyField(
        ScheduleRow, column_name="schedule_id", null=True, index=False
    )
    priority = BigIntegerField()
    enabled = FlagField()
    added_at = InstantField()

    class Meta:
        table_name = "event"
