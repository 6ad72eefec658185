"""Tables of what admins' scripts are owed, and told."""

from peewee import BigIntegerField, ForeignKeyField, TextField

from sesam.catalog.fields import InstantField, JsonField
from sesam.catalog.tables.base import Row
from sesam.catalog.tables.records import JobRow


class InterfaceRunRow(Row):
    """A pre script that was started, and whose post script has not ended."""

    job = ForeignKeyField(JobRow, column_name="job_id", index=False, primary_key=True)
    pair = TextField()
    pre_exit = BigIntegerField(null=True)
    facts = JsonField()
    began_at = InstantField()

    class Meta:
        table_name = "interface_run"
