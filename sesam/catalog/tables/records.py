"""Tables of what happened: jobs and claims, savesets, copies, pieces, tombstones."""

from peewee import BigAutoField, BigIntegerField, ForeignKeyField, TextField

from sesam.catalog.fields import (
    DayField,
    FlagField,
    InstantField,
    JsonField,
    WordsField,
)
from sesam.catalog.tables.base import Row


class JobRow(Row):
    """One piece of work; moved on by its worker alone, under (worker, fence)."""

    id = BigAutoField()
    type = TextField()
    object = TextField()
    state = TextField()
    priority = BigIntegerField()
    backup_day = DayField()
    queued_at = InstantField()
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    worker = TextField()
    fence = BigIntegerField()
    lease_until = InstantField(null=True)
    message = TextField()
    log = TextField()
    result = JsonField()
    request = JsonField()
    exit_code = BigIntegerField(null=True)
    told_to_stop = FlagField()
    waits = FlagField(default=False)
    closes_at = InstantField(null=True)
    spawned_at = InstantField(null=True)
    not_before = InstantField(null=True)

    class Meta:
        table_name = "job"


class ClaimRow(Row):
    """Who holds a thing; worker is "" when it is free, the fence stays and grows."""

    thing = TextField(primary_key=True)
    worker = TextField()
    fence = BigIntegerField()
    lease_until = InstantField()
    job = BigIntegerField(column_name="job_id", null=True)

    class Meta:
        table_name = "claim"


class SavesetRow(Row):
    id = BigAutoField()
    name = TextField(unique=True)
    task = TextField()
    client = TextField()
    level = TextField()
    base = TextField()
    state = TextField()
    backup_day = DayField()
    started_at = InstantField()
    ended_at = InstantField()
    format = BigIntegerField()
    files = BigIntegerField()
    changed = BigIntegerField()
    deleted = BigIntegerField()
    bytes = BigIntegerField()
    stored_bytes = BigIntegerField()
    warnings = BigIntegerField()
    recipients = WordsField()
    source_digest = TextField()
    locked = FlagField()
    job = BigIntegerField(column_name="job_id", null=True)

    class Meta:
        table_name = "saveset"


class CopyRow(Row):
    id = BigAutoField()
    saveset = ForeignKeyField(SavesetRow, column_name="saveset_id", index=False)
    pool = TextField()
    state = TextField()
    eol = DayField()
    retention_days = BigIntegerField()
    written_at = InstantField()
    media = WordsField()

    class Meta:
        table_name = "copy"


class PieceRow(Row):
    """One piece of a copy; `position` is the order of writing, from 0."""

    id = BigAutoField()
    copy = ForeignKeyField(CopyRow, column_name="copy_id", index=False)
    position = BigIntegerField()
    part = TextField()
    number = BigIntegerField()
    store = TextField()
    key = TextField()
    medium = TextField()
    file = BigIntegerField()
    block = BigIntegerField()
    size_bytes = BigIntegerField()
    digest = TextField()

    class Meta:
        table_name = "piece"


class SavesetClaimRow(Row):
    """A saveset that is being written: no commit yet; removed by the commit."""

    saveset = TextField(primary_key=True)
    fence = BigIntegerField()
    media = WordsField()
    job = ForeignKeyField(JobRow, column_name="job_id", index=False)
    claimed_at = InstantField()

    class Meta:
        table_name = "saveset_claim"


class TombstoneRow(Row):
    """A copy that the catalog has forgotten; done -- its bytes are gone as well."""

    id = BigAutoField()
    saveset = TextField()
    pool = TextField()
    media = WordsField()
    reason = TextField()
    deleted_at = InstantField()
    done = FlagField()

    class Meta:
        table_name = "tombstone"


class AuditRow(Row):
    id = BigAutoField()
    at = InstantField()
    who = TextField()
    command = TextField(default="")
    what = TextField()
    object = TextField()
    detail = TextField()

    class Meta:
        table_name = "audit"


class OccurrenceRow(Row):
    """One start of an event for one object: a line of the calendar sheet.

    closes_at -- end of its start window; decided_by -- event that suppresses or blocks
    count -- how many missed ones it stands for, else 1; first_at -- the first of them
    cause -- why it started, or was decided again; attempt -- how often it was retried
    unseen -- nobody has seen yet to what follows from its end
    fallback -- decided once more if its suppressor comes to nothing; left_out -- those
    that did
    """

    id = BigAutoField()
    event = TextField()
    type = TextField()
    object = TextField()
    task_group = TextField()
    schedule = TextField()
    backup_day = DayField()
    start_at = InstantField()
    closes_at = InstantField(null=True)
    priority = BigIntegerField()
    blocking = FlagField()
    level = TextField()
    state = TextField()
    reason = TextField()
    decided_by = TextField()
    job = BigIntegerField(column_name="job_id", null=True)
    count = BigIntegerField()
    first_at = InstantField(null=True)
    cause = TextField(default="")
    attempt = BigIntegerField(default=0)
    unseen = FlagField(default=False)
    fallback = FlagField(default=False)
    left_out = WordsField(default=())

    class Meta:
        table_name = "occurrence"
