"""Where a saveset goes: from a media pool to the stores or the tape that take it."""

from collections.abc import Callable

from sesam.catalog import drives, pools, site
from sesam.device.directory import DirectoryStore
from sesam.device.directory_writer import DirectoryWriter
from sesam.errors import Conflict, NoMedium, SesamError
from sesam.ports import PieceWriter
from sesam.rules.records import DataStore, MediaPool, Task
from sesam.service.ground.site import Site
from sesam.service.moving.moverjob import MoverJob, StoreTarget
from sesam.terms import MediumKind


def pool_for(task: Task, asked: str) -> MediaPool:
    """Return the pool for a task's saveset: as asked, the task's, or the site's."""
    return pools.get_pool(asked or task.pool or site.get(site.POOL))


def stores_of(pool: MediaPool) -> list[DataStore]:
    """Return the data stores that a pool writes through, by name."""
    return [store for store in drives.list_stores() if store.group == pool.group]


def tape_drives_of(pool: MediaPool) -> list[str]:
    """Return the tape drives that a pool writes through, by name."""
    return [
        drive.name
        for drive in drives.list_drives()
        if drive.group == pool.group and drive.kind is MediumKind.TAPE
    ]


def choose_stores(pool: MediaPool) -> tuple[str, tuple[StoreTarget, ...]]:
    """Return the machine (client, "" = this one) and the stores there for a saveset.

    One mover writes a saveset, so that all its stores lie on one machine: that of the
    first. Raises NoMedium, Conflict.
    """
    stores = stores_of(pool)
    if not stores:
        raise NoMedium(
            f'media pool "{pool.name}" has no data store and no drive',
            hint=f"sm_media store add NAME --path DIR --group {pool.group}",
        )
    if tape_drives_of(pool):
        raise Conflict(f'drive group "{pool.group}" mixes tape drives and data stores')
    there = stores[0].rds
    targets = [StoreTarget(one.name, one.path) for one in stores if one.rds == there]
    return there, tuple(targets)


def open_writer(job: MoverJob, note: Callable[[bytes, str], object]) -> PieceWriter:
    """Return the writer for a mover's job, on the machine that runs this.

    A store of several that is not there is passed over as long as another one is, and
    `note` is told. Raises StoreMissing, ForeignSite, WriteProtected, MediumFull.
    """
    stores: list[DirectoryStore] = []
    missing: list[SesamError] = []
    for target in job.stores:
        try:
            stores.append(DirectoryStore(target.name, target.path, job.site))
        except SesamError as error:
            missing.append(error)
    if not stores and missing:
        raise missing[-1]
    for absent in missing:
        note(b"", f"passed over: {absent}")
    return DirectoryWriter(stores, job.saveset)


def open_store(store: DataStore, site_now: Site) -> DirectoryStore:
    """Return a data store on this machine. Raises StoreMissing, ForeignSite."""
    return DirectoryStore(store.name, store.path, site_now.id)
