"""Changing pools, stores, drives, loaders: checked as a whole, then one transaction."""

from sesam.catalog import drives, pools
from sesam.device.directory import create_store
from sesam.errors import Conflict, WrongUsage
from sesam.rules.records import DataStore, Drive, DriveGroup, Loader, MediaPool
from sesam.service.afar.remote import look_at_store_there, make_store_there
from sesam.service.configure import MOST_DAYS, Kind, changing, removing
from sesam.service.ground.keys import put_protected
from sesam.service.ground.site import Site
from sesam.service.moving.targets import open_store

_BLOCK_LEAST, _BLOCK_MOST = 512, 8 << 20
_DEVICES = ("scsi:/", "iscsi://")
_DRIVE_GROUP = Kind("drive group", pools.get_drive_group)
_MEDIA_POOL = Kind("media pool", pools.get_pool)
_DATA_STORE = Kind("data store", drives.get_store)
_LOADER = Kind("loader", drives.get_loader)
_DRIVE = Kind("drive", drives.get_drive)


def add_drive_group(here: Site, group: DriveGroup) -> None:
    """Add a drive group. Raises Conflict, WrongUsage."""
    changing(
        here, _DRIVE_GROUP, group.name, lambda: pools.add_drive_group(group), new=True
    )


def modify_drive_group(here: Site, group: DriveGroup) -> None:
    """Change a drive group. Raises NotFound."""
    changing(
        here,
        _DRIVE_GROUP,
        group.name,
        lambda: pools.modify_drive_group(group),
    )


def remove_drive_group(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a drive group. Raises NotFound, Protected."""
    removing(here, _DRIVE_GROUP, name, pools.remove_drive_group, dry_run=dry_run)


def add_pool(here: Site, pool: MediaPool) -> None:
    """Add a media pool. Raises Conflict, WrongUsage, NotFound."""
    _check_pool(pool)
    changing(here, _MEDIA_POOL, pool.name, lambda: pools.add_pool(pool), new=True)


def modify_pool(here: Site, pool: MediaPool) -> None:
    """Change a media pool. Raises NotFound, WrongUsage."""
    _check_pool(pool)
    changing(here, _MEDIA_POOL, pool.name, lambda: pools.modify_pool(pool))


def remove_pool(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a media pool. Raises NotFound, Protected."""
    removing(here, _MEDIA_POOL, name, pools.remove_pool, dry_run=dry_run)


def add_store(here: Site, store: DataStore) -> None:
    """Make a directory a data store and add it. Raises Conflict, ForeignSite.

    On another client's machine the mover there makes it. Raises Unreachable, too. A
    directory that was made, and never added after all, can be given again.
    """
    _check_store(store)
    drives.check_new_store(store)
    if store.rds:
        make_store_there(here, store)
    else:
        create_store(store.path, name=store.name, site_id=here.id, now=here.clock())
    changing(here, _DATA_STORE, store.name, lambda: drives.add_store(store), new=True)
    put_protected(here, store)


def modify_store(here: Site, store: DataStore) -> None:
    """Change a data store; its path may change when the marker is there already.

    Raises NotFound, StoreMissing, ForeignSite, WrongMedium, Conflict, Unreachable.
    """
    _check_store(store)
    if not store.rds:
        open_store(store, here)
    elif drives.get_store(store.name).path != store.path:
        look_at_store_there(here, store)
    changing(
        here,
        _DATA_STORE,
        store.name,
        lambda: drives.modify_store(store),
    )


def remove_store(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a data store from the catalog; its directory stays as it is."""
    removing(here, _DATA_STORE, name, drives.remove_store, dry_run=dry_run)


def add_loader(here: Site, loader: Loader) -> None:
    """Add a loader. Raises Conflict, WrongUsage."""
    _check_device(loader.device)
    changing(here, _LOADER, loader.name, lambda: drives.add_loader(loader), new=True)


def modify_loader(here: Site, loader: Loader) -> None:
    """Change a loader. Raises NotFound, WrongUsage."""
    _check_device(loader.device)
    changing(
        here,
        _LOADER,
        loader.name,
        lambda: drives.modify_loader(loader),
    )


def remove_loader(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a loader. Raises NotFound, Protected."""
    removing(here, _LOADER, name, drives.remove_loader, dry_run=dry_run)


def add_drive(here: Site, drive: Drive) -> None:
    """Add a tape drive. Raises Conflict, WrongUsage, NotFound."""
    _check_drive(drive)
    changing(here, _DRIVE, drive.name, lambda: drives.add_drive(drive), new=True)


def modify_drive(here: Site, drive: Drive) -> None:
    """Change a tape drive. Raises NotFound, Conflict, WrongUsage."""
    if drive.store:
        raise Conflict(
            f'drive "{drive.name}" belongs to data store "{drive.store}"',
            hint=f"sm_media store modify {drive.store}",
        )
    _check_drive(drive)
    changing(here, _DRIVE, drive.name, lambda: drives.modify_drive(drive))


def remove_drive(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a tape drive. Raises NotFound, Protected."""
    removing(here, _DRIVE, name, drives.remove_drive, dry_run=dry_run)


def _check_pool(pool: MediaPool) -> None:
    if not 0 <= pool.retention_days <= MOST_DAYS:
        raise WrongUsage(f"a retention is 0 to {MOST_DAYS} days")
    if not _BLOCK_LEAST <= pool.block_bytes <= _BLOCK_MOST or pool.block_bytes % 512:
        raise WrongUsage("a block size is a multiple of 512 from 512 to 8M")
    if pool.spare and pool.from_spare:
        raise WrongUsage("a spare pool takes from no other")


def _check_store(store: DataStore) -> None:
    if not store.path.startswith("/"):
        raise WrongUsage(f'the path "{store.path}" of a data store is not absolute')
    try:
        store.path.encode()
    except UnicodeEncodeError as error:
        raise WrongUsage("the path of a data store is UTF-8") from error
    if not 0 <= store.low_water <= store.high_water <= 100:
        raise WrongUsage("water marks are percent, the low one not above the high one")
    if store.streams < 1:
        raise WrongUsage("a data store has at least one stream")


def _check_drive(drive: Drive) -> None:
    _check_device(drive.device)
    if bool(drive.loader) != (drive.position >= 0):
        raise WrongUsage("--loader and --position belong together")


def _check_device(device: str) -> None:
    if not device.startswith(_DEVICES):
        raise WrongUsage(
            f'"{device}" is no device',
            hint="scsi:/dev/sg3 or iscsi://HOST:PORT/IQN/LUN",
        )
