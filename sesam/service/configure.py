"""Changing what the site is made of: checked as a whole, then one transaction."""

import os
from dataclasses import asdict, replace
from typing import Any

from sesam.catalog import clients, drives, pools, site, tasks
from sesam.crypt.keys import parse_recipient
from sesam.device.directory import create_store
from sesam.errors import Conflict, Protected, WrongUsage
from sesam.rules.exclude import compile_excludes
from sesam.rules.records import (
    Client,
    DataStore,
    Drive,
    DriveGroup,
    Loader,
    MediaPool,
    Task,
    TaskGroup,
)
from sesam.service.afar.remote import make_store_there
from sesam.service.ground.keys import put_protected
from sesam.service.ground.site import Site

TYPES = ("path",)
_SEGMENT_LEAST = 1 << 20
_BLOCK_LEAST, _BLOCK_MOST = 512, 8 << 20
_DEVICES = ("scsi:/", "iscsi://")


def facts(record: Any) -> dict[str, Any]:
    """Return a record as a row: field names are the keys."""
    return asdict(record)


# -- clients -------------------------------------------------------------------------


def add_client(here: Site, client: Client) -> None:
    """Add a client. Raises Conflict, WrongUsage."""
    _check_client(client)
    with here.catalog.change():
        clients.add_client(client)


def modify_client(here: Site, client: Client) -> None:
    """Change a client. Raises NotFound, WrongUsage."""
    _check_client(client)
    with here.catalog.change():
        clients.modify_client(client)


def remove_client(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a client. Raises NotFound, Protected."""
    if name == site.get(site.CLIENT):
        raise Protected(f'client "{name}" is this machine')
    _removing(here, dry_run, lambda: clients.remove_client(name))


def _check_client(client: Client) -> None:
    # A destination that begins with a dash would be an option of ssh.
    if client.ssh.startswith("-") or any(c.isspace() for c in client.ssh):
        raise WrongUsage(f'"{client.ssh}" is no destination for ssh', hint="USER@HOST")
    if client.program and not client.program.startswith("/"):
        raise WrongUsage(f'--program "{client.program}" is no absolute path')


# -- tasks ---------------------------------------------------------------------------


def add_task(here: Site, task: Task) -> None:
    """Add a task; no client = this machine's. Raises Conflict, WrongUsage."""
    task = _checked_task(task)
    with here.catalog.change():
        tasks.add_task(task)


def modify_task(here: Site, task: Task) -> None:
    """Change a task. Raises NotFound, WrongUsage."""
    task = _checked_task(task)
    with here.catalog.change():
        tasks.modify_task(task)


def remove_task(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task. Raises NotFound, Protected."""
    _removing(here, dry_run, lambda: tasks.remove_task(name))


def add_task_group(here: Site, group: TaskGroup) -> None:
    """Add a task group. Raises Conflict, WrongUsage, NotFound."""
    with here.catalog.change():
        tasks.add_group(group)


def modify_task_group(here: Site, group: TaskGroup) -> None:
    """Change a task group. Raises NotFound."""
    with here.catalog.change():
        tasks.modify_group(group)


def remove_task_group(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task group; its tasks stay. Raises NotFound."""
    _removing(here, dry_run, lambda: tasks.remove_group(name))


def _checked_task(task: Task) -> Task:
    if not task.sources:
        raise WrongUsage(f'task "{task.name}" has no source', hint="--source PATH")
    for path in task.sources:
        if not path.startswith(b"/") or b"\0" in path:
            raise WrongUsage(f'the source "{os.fsdecode(path)}" is no absolute path')
    if task.type not in TYPES:
        raise WrongUsage(f'there is no task type "{task.type}"', hint="path")
    if not 1 <= task.zstd_level <= 19:
        raise WrongUsage(f"zstd level {task.zstd_level} is not from 1 to 19")
    if task.segment_bytes < _SEGMENT_LEAST:
        raise WrongUsage("a segment has at least 1M")
    for name in task.exclude_if_present:
        if not name or "/" in name:
            raise WrongUsage(f'"{name}" is no name of a file in a directory')
    compile_excludes(task.excludes)
    for recipient in task.recipients:
        parse_recipient(recipient)
    return task if task.client else replace(task, client=site.get(site.CLIENT))


# -- media ---------------------------------------------------------------------------


def add_drive_group(here: Site, group: DriveGroup) -> None:
    """Add a drive group. Raises Conflict, WrongUsage."""
    with here.catalog.change():
        pools.add_drive_group(group)


def modify_drive_group(here: Site, group: DriveGroup) -> None:
    """Change a drive group. Raises NotFound."""
    with here.catalog.change():
        pools.modify_drive_group(group)


def remove_drive_group(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a drive group. Raises NotFound, Protected."""
    _removing(here, dry_run, lambda: pools.remove_drive_group(name))


def add_pool(here: Site, pool: MediaPool) -> None:
    """Add a media pool. Raises Conflict, WrongUsage, NotFound."""
    _check_pool(pool)
    with here.catalog.change():
        pools.add_pool(pool)


def modify_pool(here: Site, pool: MediaPool) -> None:
    """Change a media pool. Raises NotFound, WrongUsage."""
    _check_pool(pool)
    with here.catalog.change():
        pools.modify_pool(pool)


def remove_pool(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a media pool. Raises NotFound, Protected."""
    _removing(here, dry_run, lambda: pools.remove_pool(name))


def add_store(here: Site, store: DataStore) -> None:
    """Make a directory a data store and add it. Raises Conflict, ForeignSite.

    On another client's machine the mover there makes it. Raises Unreachable, too.
    """
    _check_store(store)
    now = here.clock()
    with here.catalog.change():
        drives.add_store(store)
        if store.rds:
            make_store_there(here, store)
        else:
            create_store(store.path, name=store.name, site_id=here.id, now=now)
            put_protected(here, store)


def modify_store(here: Site, store: DataStore) -> None:
    """Change a data store; its path may change when the marker is there already.

    Raises NotFound, StoreMissing, ForeignSite.
    """
    _check_store(store)
    from sesam.service.moving.targets import open_store

    if not store.rds:
        open_store(store, here)
    with here.catalog.change():
        drives.modify_store(store)


def remove_store(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a data store from the catalog; its directory stays as it is."""
    _removing(here, dry_run, lambda: drives.remove_store(name))


def add_loader(here: Site, loader: Loader) -> None:
    """Add a loader. Raises Conflict, WrongUsage."""
    _check_device(loader.device)
    with here.catalog.change():
        drives.add_loader(loader)


def modify_loader(here: Site, loader: Loader) -> None:
    """Change a loader. Raises NotFound, WrongUsage."""
    _check_device(loader.device)
    with here.catalog.change():
        drives.modify_loader(loader)


def remove_loader(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a loader. Raises NotFound, Protected."""
    _removing(here, dry_run, lambda: drives.remove_loader(name))


def add_drive(here: Site, drive: Drive) -> None:
    """Add a tape drive. Raises Conflict, WrongUsage, NotFound."""
    _check_drive(drive)
    with here.catalog.change():
        drives.add_drive(drive)


def modify_drive(here: Site, drive: Drive) -> None:
    """Change a tape drive. Raises NotFound, Conflict, WrongUsage."""
    if drive.store:
        raise Conflict(
            f'drive "{drive.name}" belongs to data store "{drive.store}"',
            hint=f"sm_media store modify {drive.store}",
        )
    _check_drive(drive)
    with here.catalog.change():
        drives.modify_drive(drive)


def remove_drive(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a tape drive. Raises NotFound, Protected."""
    _removing(here, dry_run, lambda: drives.remove_drive(name))


def _check_pool(pool: MediaPool) -> None:
    if pool.retention_days < 0:
        raise WrongUsage("a retention is 0 days or more")
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


class _DryRun(Exception):
    """Takes back what a dry run has tried."""


def _removing(here: Site, dry_run: bool, remove: Any) -> None:
    """Remove in one transaction; a dry run does the same and takes it back."""
    try:
        with here.catalog.change():
            remove()
            if dry_run:
                raise _DryRun
    except _DryRun:
        return
