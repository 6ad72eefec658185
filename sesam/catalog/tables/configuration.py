"""Tables of what an admin sets up: clients, tasks, pools, stores, drives."""

from peewee import BigAutoField, BigIntegerField, BlobField, ForeignKeyField, TextField

from sesam.catalog.fields import FlagField, InstantField, WordsField
from sesam.catalog.tables.base import Row


class SiteRow(Row):
    """Settings of the site: id, zone, newday, default pool."""

    key = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "site"


class Named(Row):
    """Rows that an admin calls by name."""

    id = BigAutoField()
    name = TextField(unique=True)


class ClientRow(Named):
    ssh = TextField()
    program = TextField()
    note = TextField()

    class Meta:
        table_name = "client"


class DriveGroupRow(Named):
    note = TextField()

    class Meta:
        table_name = "drive_group"


class MediaPoolRow(Named):
    group = ForeignKeyField(DriveGroupRow, column_name="group_id", index=False)
    retention_days = BigIntegerField()
    spare = FlagField()
    from_spare = ForeignKeyField(
        "self", column_name="from_spare_id", null=True, index=False
    )
    block_bytes = BigIntegerField()
    note = TextField()

    class Meta:
        table_name = "media_pool"


class TaskRow(Named):
    client = ForeignKeyField(ClientRow, column_name="client_id", index=False)
    type = TextField()
    excludes = WordsField()
    exclude_caches = FlagField()
    exclude_if_present = WordsField()
    one_file_system = FlagField()
    recipients = WordsField()
    zstd_level = BigIntegerField()
    segment_bytes = BigIntegerField()
    pool = ForeignKeyField(MediaPoolRow, column_name="pool_id", null=True, index=False)
    note = TextField()
    max_chain = BigIntegerField()
    full_every = BigIntegerField()
    rpo = BigIntegerField(default=0)
    rpo_since = InstantField(null=True)

    class Meta:
        table_name = "task"


class TaskSourceRow(Row):
    """One source of a task: an absolute path as raw bytes."""

    id = BigAutoField()
    task = ForeignKeyField(TaskRow, column_name="task_id", index=False)
    position = BigIntegerField()
    path = BlobField()

    class Meta:
        table_name = "task_source"


class TaskGroupRow(Named):
    note = TextField()

    class Meta:
        table_name = "task_group"


class TaskGroupMemberRow(Row):
    id = BigAutoField()
    group = ForeignKeyField(TaskGroupRow, column_name="group_id", index=False)
    task = ForeignKeyField(TaskRow, column_name="task_id", index=False)

    class Meta:
        table_name = "task_group_member"


class LoaderRow(Named):
    device = TextField()
    note = TextField()

    class Meta:
        table_name = "loader"


class DataStoreRow(Named):
    path = TextField()
    group = ForeignKeyField(DriveGroupRow, column_name="group_id", index=False)
    capacity_bytes = BigIntegerField()
    high_water = BigIntegerField()
    low_water = BigIntegerField()
    streams = BigIntegerField()
    rds = ForeignKeyField(ClientRow, column_name="rds_id", null=True, index=False)
    note = TextField()

    class Meta:
        table_name = "data_store"


class DriveRow(Named):
    kind = TextField()
    group = ForeignKeyField(DriveGroupRow, column_name="group_id", index=False)
    device = TextField()
    loader = ForeignKeyField(LoaderRow, column_name="loader_id", null=True, index=False)
    position = BigIntegerField()
    store = ForeignKeyField(
        DataStoreRow, column_name="store_id", null=True, index=False
    )
    streams = BigIntegerField()
    rds = ForeignKeyField(ClientRow, column_name="rds_id", null=True, index=False)

    class Meta:
        table_name = "drive"


class MediumRow(Row):
    """A labelled tape; `files` counts its tape files, the label included."""

    id = BigAutoField()
    label = TextField(unique=True)
    pool = ForeignKeyField(MediaPoolRow, column_name="pool_id", index=False)
    kind = TextField()
    barcode = TextField()
    state = TextField()
    loader = TextField()
    slot = BigIntegerField()
    drive = TextField()
    used_bytes = BigIntegerField()
    capacity_bytes = BigIntegerField()
    files = BigIntegerField()
    is_full = FlagField()
    protected = FlagField()
    written_at = InstantField(null=True)

    class Meta:
        table_name = "medium"
