"""The table of backup days that newday has closed."""

from sesam.catalog.fields import DayField, InstantField, JsonField
from sesam.catalog.tables.base import Row


class ClosedDayRow(Row):
    """final_at -- when its last job had ended; summary -- what became of its jobs."""

    day = DayField(primary_key=True)
    closed_at = InstantField()
    final_at = InstantField(null=True)
    summary = JsonField()

    class Meta:
        table_name = "closed_day"
