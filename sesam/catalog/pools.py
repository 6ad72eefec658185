"""Drive groups and media pools in the catalog."""

from typing import Any

from sesam.catalog import site
from sesam.catalog.names import find, find_or_none, refuse_known, refuse_needed
from sesam.catalog.tables import (
    CopyRow,
    DataStoreRow,
    DriveGroupRow,
    DriveRow,
    EventRow,
    MediaPoolRow,
    MediumRow,
    TaskRow,
)
from sesam.errors import Conflict
from sesam.rules.naming import check_name, check_pool_name
from sesam.rules.records import DriveGroup, MediaPool

_GROUP, _POOL = "drive group", "media pool"


def list_drive_groups() -> list[DriveGroup]:
    """Return all drive groups by name."""
    rows = DriveGroupRow.select().order_by(DriveGroupRow.name)
    return [_group(row) for row in rows]


def get_drive_group(name: str) -> DriveGroup:
    """Return a drive group. Raises NotFound."""
    return _group(find(DriveGroupRow, _GROUP, name))


def add_drive_group(group: DriveGroup) -> None:
    """Add a drive group; drives join it by naming it. Raises Conflict, WrongUsage."""
    check_name(_GROUP, group.name)
    refuse_known(DriveGroupRow, _GROUP, group.name)
    DriveGroupRow.create(name=group.name, note=group.note)


def modify_drive_group(group: DriveGroup) -> None:
    """Give the group of that name this note. Raises NotFound."""
    row = find(DriveGroupRow, _GROUP, group.name)
    row.note = group.note
    row.save()


def remove_drive_group(name: str) -> None:
    """Remove a drive group. Raises NotFound, Protected."""
    row = find(DriveGroupRow, _GROUP, name)
    drives = DriveRow.select().where(DriveRow.group == row)
    stores = DataStoreRow.select().where(DataStoreRow.group == row)
    pools = MediaPoolRow.select().where(MediaPoolRow.group == row)
    events = EventRow.select().where(EventRow.drive_group == row)
    refuse_needed(
        _GROUP,
        name,
        [
            (_POOL, [one.name for one in pools]),
            ("data store", [one.name for one in stores]),
            ("drive", [one.name for one in drives]),
            ("event", [one.name for one in events]),
        ],
    )
    row.delete_instance()


def list_pools() -> list[MediaPool]:
    """Return all media pools by name."""
    return [_pool(row) for row in MediaPoolRow.select().order_by(MediaPoolRow.name)]


def get_pool(name: str) -> MediaPool:
    """Return a media pool. Raises NotFound."""
    return _pool(find(MediaPoolRow, _POOL, name))


def add_pool(pool: MediaPool) -> None:
    """Add a media pool. Raises Conflict, WrongUsage, NotFound for its group."""
    check_pool_name(pool.name)
    refuse_known(MediaPoolRow, _POOL, pool.name)
    MediaPoolRow.create(**_values(pool))


def modify_pool(pool: MediaPool) -> None:
    """Give the pool of that name these values. Raises NotFound, Conflict, Protected."""
    row = find(MediaPoolRow, _POOL, pool.name)
    if not pool.spare:
        users = MediaPoolRow.select().where(MediaPoolRow.from_spare == row)
        refuse_needed("spare pool", pool.name, [(_POOL, [one.name for one in users])])
    MediaPoolRow.update(**_values(pool)).where(MediaPoolRow.id == row.id).execute()


def remove_pool(name: str) -> None:
    """Remove a media pool. Raises NotFound, Protected."""
    row = find(MediaPoolRow, _POOL, name)
    copies = CopyRow.select().where(CopyRow.pool == name).limit(4)
    media = MediumRow.select().where(MediumRow.pool == row).limit(4)
    tasks = TaskRow.select().where(TaskRow.pool == row)
    users = MediaPoolRow.select().where(MediaPoolRow.from_spare == row)
    events = EventRow.select().where(EventRow.pool == row).limit(4)
    chosen = ["the site's default pool"] if site.get(site.POOL) == name else []
    refuse_needed(
        _POOL,
        name,
        [
            ("setting", chosen),
            ("task", [one.name for one in tasks]),
            (_POOL, [one.name for one in users]),
            ("medium", [one.label for one in media]),
            ("saveset", [one.saveset.name for one in copies]),
            ("event", [one.name for one in events]),
        ],
    )
    row.delete_instance()


def _group(row: Any) -> DriveGroup:
    drives = DriveRow.select().where(DriveRow.group == row).order_by(DriveRow.name)
    return DriveGroup(row.name, tuple(one.name for one in drives), row.note)


def _pool(row: Any) -> MediaPool:
    return MediaPool(
        name=row.name,
        group=row.group.name,
        retention_days=row.retention_days,
        spare=row.spare,
        from_spare=row.from_spare.name if row.from_spare else "",
        block_bytes=row.block_bytes,
        note=row.note,
    )


def _values(pool: MediaPool) -> dict[str, object]:
    spare = find_or_none(MediaPoolRow, _POOL, pool.from_spare)
    if spare is not None and not spare.spare:
        raise Conflict(f'media pool "{spare.name}" is no spare pool')
    return {
        "name": pool.name,
        "group": find(DriveGroupRow, _GROUP, pool.group),
        "retention_days": pool.retention_days,
        "spare": pool.spare,
        "from_spare": spare,
        "block_bytes": pool.block_bytes,
        "note": pool.note,
    }
