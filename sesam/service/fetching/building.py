"""What the next saveset of a task builds on: its base, and that one's listing."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sesam.catalog import drives
from sesam.catalog.chains import chain_to_build_on, manifest_places
from sesam.device.directory import DirectoryStore
from sesam.errors import SesamError
from sesam.rules.level import Choice, Limits, choose, wanted
from sesam.rules.records import Saveset, Task
from sesam.service.fetching.reading import StoredSaveset
from sesam.service.fetching.rows import best_copy
from sesam.service.ground.site import Site
from sesam.terms import Level


@dataclass(frozen=True, slots=True)
class Ground:
    """Level and base of a saveset to be written; listing -- file, "" without base."""

    choice: Choice
    listing: str = ""


def ground_for(
    site: Site, task: Task, asked: Level | None, source_digest: str, now: datetime
) -> Ground:
    """Return what a backup of a task that begins now builds on.

    A chain that cannot be relied on makes a FULL, and the choice says why.
    """
    chain = chain_to_build_on(task.name, asked or Level.INCR)
    choice = choose(
        wanted(asked, has_good=bool(chain)),
        chain,
        source_digest=source_digest,
        limits=Limits(task.max_chain, task.full_every),
        now=now,
    )
    if not choice.base:
        return Ground(choice)
    why = _absent(site, chain)
    if not why:
        try:
            return Ground(choice, _listing_of(site, chain[-1]))
        except (SesamError, OSError) as error:
            why = f"the listing of {choice.base} cannot be had: {error}"
    reason = f"{choice.level} becomes FULL: {why}"
    return Ground(Choice(Level.FULL, reason=reason))


def _listing_of(site: Site, base: Saveset) -> str:
    # Without identities: a backup needs no secret, so none is looked for.
    with StoredSaveset(site, base, passphrase=str, sealed=True) as stored:
        return stored.listing_file()


def _absent(site: Site, chain: Sequence[Saveset]) -> str:
    """Return which link of a chain has left its data store, "" where none has.

    A store that is not there itself says nothing about what is in it.
    """
    copies = {best_copy(one).id: one.name for one in chain}
    stores: dict[str, DirectoryStore | None] = {}
    for copy, place in manifest_places(list(copies)):
        if place.store not in stores:
            stores[place.store] = _local(site, place.store)
        store = stores[place.store]
        if store is not None and not os.path.lexists(store.path(place.key)):
            return f'{copies[copy]} is no longer in data store "{place.store}"'
    return ""


def _local(site: Site, name: str) -> DirectoryStore | None:
    try:
        store = drives.get_store(name)
        return None if store.rds else DirectoryStore(name, store.path, site.id)
    except SesamError:
        return None
