"""Tables of the calendar: schedules, custom calendars, events."""

from peewee import BigAutoField, BigIntegerField, ForeignKeyField, TextField

from sesam.catalog.fields import DayField, FlagField, InstantField, JsonField
from sesam.catalog.tables.base import Row
from sesam.catalog.tables.configuration import (
    DriveGroupRow,
    DriveRow,
    MediaPoolRow,
    Named,
    TaskGroupRow,
    TaskRow,
)


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
    """details -- what events of its type alone have; next_at -- its next occurrence."""

    type = TextField()
    schedule = ForeignKeyField(
        ScheduleRow, column_name="schedule_id", null=True, index=False
    )
    priority = BigIntegerField()
    enabled = FlagField()
    added_at = InstantField()
    task = ForeignKeyField(TaskRow, column_name="task_id", null=True, index=False)
    group = ForeignKeyField(
        TaskGroupRow, column_name="group_id", null=True, index=False
    )
    pool = ForeignKeyField(MediaPoolRow, column_name="pool_id", null=True, index=False)
    drive = ForeignKeyField(DriveRow, column_name="drive_id", null=True, index=False)
    drive_group = ForeignKeyField(
        DriveGroupRow, column_name="drive_group_id", null=True, index=False
    )
    follow = ForeignKeyField("self", column_name="follow_id", null=True, index=False)
    follow_on = TextField(default="warning")
    level = TextField(default="")
    blocking = FlagField(default=False)
    fallback = FlagField(default=False)
    details = JsonField(default=dict)
    note = TextField(default="")
    since = InstantField(null=True)
    next_at = InstantField(null=True)

    class Meta:
        table_name = "event"
