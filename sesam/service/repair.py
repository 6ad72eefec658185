"""Putting right what killed processes left: jobs, claims, half-written savesets.

Cheap when there is nothing to do: every command that writes calls it first.
"""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from sesam.catalog import reaping, saveset_claims
from sesam.errors import ClientError, Damaged, DeviceError, NotFound
from sesam.rules.records import Job
from sesam.service import interfaces
from sesam.service.ground import owner
from sesam.service.ground.site import Site

if TYPE_CHECKING:
    from sesam.service.moving.leftover import Shelf

Problem = Callable[[str], object]


def settle(site: Site, problem: Problem = lambda text: None) -> list[Job]:
    """End jobs whose worker is gone, settle their savesets; return those jobs.

    A saveset whose manifest was written to its end is committed: as damaged where a
    part of it is not as the manifest says. Of any other one nothing is kept. What
    cannot be read now, or lies in a store that is absent, waits; problem -- takes why.
    So does what lies on another machine: for `settle_afar`.
    """
    gone = reaping.reap(site.catalog, owner.JUDGE, site.clock())
    _settle_claims(site, problem, afar=False)
    # What it takes to remove bytes is loaded where there are some to be removed.
    if saveset_claims.anything_to_remove():
        from sesam.service import erasing

        erasing.finish(site)
    interfaces.kick(site)
    return gone


def settle_afar(site: Site, problem: Problem) -> None:
    """Settle what was left on other machines: not every command waits for these."""
    _settle_claims(site, problem, afar=True)


def _settle_claims(site: Site, problem: Problem, *, afar: bool) -> None:
    claims = saveset_claims.dead_claims()
    if not claims:
        return
    from sesam.catalog import drives

    there = {one.name for one in drives.list_stores() if one.rds}
    for saveset, media, job_id in claims:
        if afar is not bool(there.intersection(media)):
            continue
        try:
            if damage := _settle_claim(site, saveset, media, job_id):
                problem(f"{saveset} is kept as damaged: {damage}")
        except (DeviceError, ClientError, NotFound, Damaged, OSError) as error:
            problem(f"{saveset} cannot be settled: {error}")


def _settle_claim(site: Site, saveset: str, media: tuple[str, ...], job_id: int) -> str:
    """Return what a saveset lacks that is committed, "" for any other."""
    from sesam.catalog import media as catalog_media
    from sesam.catalog import savesets
    from sesam.service.moving import commit
    from sesam.service.moving.leftover import judge
    from sesam.terms import CopyState

    left = None
    # On tape nothing counts without its row: the next saveset is written over it.
    on_tape = set(media) <= {one.label for one in catalog_media.list_media()}
    if not on_tape and not savesets.is_known(saveset):
        with contextlib.ExitStack() as stack:
            shelves = [_shelf(site, name, stack) for name in media]
            left = judge(shelves, saveset)
            if left is None:
                for shelf in shelves:
                    shelf.remove(saveset)
    with site.catalog.change():
        # Another command may have settled it meanwhile.
        if not saveset_claims.close_claim(saveset) or left is None:
            return ""
        record, copy = commit.records_of(left.written, site.zone)
        if left.damage:
            copy = copy._replace(state=CopyState.DAMAGED)
        savesets.commit_saveset(record, copy, job_id)
    return left.damage


def _shelf(site: Site, name: str, stack: contextlib.ExitStack) -> "Shelf":
    """Return a store for as long as the stack is open. Raises as Shelf, NotFound."""
    from sesam.catalog import drives
    from sesam.device.directory import DirectoryStore
    from sesam.service.moving.leftover import ShelfHere, ShelfThere

    store = drives.get_store(name)
    shelf: Shelf
    if store.rds:
        shelf = ShelfThere(site, store)
    else:
        shelf = ShelfHere(DirectoryStore(store.name, store.path, site.id))
    stack.callback(shelf.close)
    return shelf
