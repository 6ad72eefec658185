"""Putting right what killed processes left: jobs, claims, half-written savesets.

Cheap when there is nothing to do: every command that writes calls it first.
"""

from collections.abc import Callable
from dataclasses import replace

from sesam.catalog import drives, jobs, reaping, savesets
from sesam.catalog import media as catalog_media
from sesam.device.directory import DirectoryStore
from sesam.errors import Damaged, DeviceError, NotFound
from sesam.rules.records import Job
from sesam.service import erasing
from sesam.service.ground import owner
from sesam.service.ground.site import Site
from sesam.service.moving import commit
from sesam.service.moving.leftover import ShelfHere, judge
from sesam.terms import CopyState


def settle(
    site: Site, problem: Callable[[str], object] = lambda text: None
) -> list[Job]:
    """End jobs whose worker is gone, settle their savesets; return those jobs.

    A saveset whose manifest was written to its end is committed: as damaged where a
    part of it is not as the manifest says. Of any other one nothing is kept. What
    cannot be read now, or lies in a store that is absent, waits; problem -- takes why.
    """
    gone = reaping.reap(site.catalog, owner.JUDGE, site.clock())
    for saveset, media, job_id in jobs.dead_claims():
        try:
            if damage := _settle_claim(site, saveset, media, job_id):
                problem(f"{saveset} is kept as damaged: {damage}")
        except (DeviceError, NotFound, Damaged, OSError) as error:
            problem(f"{saveset} cannot be settled: {error}")
    erasing.finish(site)
    return gone


def _settle_claim(site: Site, saveset: str, media: tuple[str, ...], job_id: int) -> str:
    """Return what a saveset lacks that is committed, "" for any other."""
    left = None
    # On tape nothing counts without its row: the next saveset is written over it.
    on_tape = set(media) <= {one.label for one in catalog_media.list_media()}
    if not on_tape and not savesets.is_known(saveset):
        shelves = [ShelfHere(store) for store in _stores(site, media)]
        left = judge(shelves, saveset)
        if left is None:
            for shelf in shelves:
                shelf.remove(saveset)
    with site.catalog.change():
        # Another command may have settled it meanwhile.
        if not jobs.close_claim(saveset) or left is None:
            return ""
        record, copy = commit.records_of(left.written, site.zone)
        if left.damage:
            copy = replace(copy, state=CopyState.DAMAGED)
        savesets.commit_saveset(record, copy, job_id)
    return left.damage


def _stores(site: Site, media: tuple[str, ...]) -> list[DirectoryStore]:
    """Return the stores of that name, all here. Raises DeviceError, NotFound."""
    found = []
    for name in media:
        store = drives.get_store(name)
        if store.rds:
            raise DeviceError(f'data store "{name}" lies on client "{store.rds}"')
        found.append(DirectoryStore(store.name, store.path, site.id))
    return found
