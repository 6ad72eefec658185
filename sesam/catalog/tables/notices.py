"""Tables of what admins' scripts are owed and told, and of alarms."""

from peewee import BigAutoField, BigIntegerField, ForeignKeyField, TextField

from sesam.catalog.fields import InstantField, JsonField
from sesam.catalog.tables.base import Row
from sesam.catalog.tables.records import JobRow


class InterfaceRunRow(Row):
    """A pre script that was started, and whose post script has not ended.

    process -- of the script that was started last, as an owner
    """

    job = ForeignKeyField(JobRow, column_name="job_id", index=False, primary_key=True)
    pair = TextField()
    pre_exit = BigIntegerField(null=True)
    facts = JsonField()
    began_at = InstantField()
    process = TextField(default="")

    class Meta:
        table_name = "interface_run"


class NoticeRow(Row):
    """Something that a script is to be told; due_at -- when next, None = done.

    once -- not to be told again under this key; sent_at -- None = not, or given up
    """

    id = BigAutoField()
    interface = TextField()
    kind = TextField()
    object = TextField()
    subject = TextField()
    facts = JsonField()
    once = TextField()
    posted_at = InstantField()
    due_at = InstantField(null=True)
    tries = BigIntegerField()
    sent_at = InstantField(null=True)
    message = TextField()

    class Meta:
        table_name = "notice"


class AlarmRow(Row):
    """Something that is not as it should be, from `since` until `over_at`."""

    id = BigAutoField()
    kind = TextField()
    object = TextField()
    text = TextField()
    since = InstantField()
    remind_at = InstantField(null=True)
    reminders = BigIntegerField()
    over_at = InstantField(null=True)

    class Meta:
        table_name = "alarm"
