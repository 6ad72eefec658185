"""Removing the bytes of what the catalog has forgotten, wherever they lie.

A tombstone stays open as long as a store is absent, and is closed by whoever finds the
store there. A store of another site is never touched.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

from sesam.catalog import drives, savesets
from sesam.device.directory import DirectoryStore
from sesam.device.directory_writer import remove_saveset
from sesam.errors import DeviceError, NotFound, SesamError
from sesam.rules.records import DataStore
from sesam.service.ground.site import Site

_AT_ONCE = 200


class Eraser:
    """Removes savesets from the stores of this machine; each store is opened once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stores: dict[str, DirectoryStore | None] = {}

    def erase(self, stone: int, saveset: str, media: Iterable[str]) -> bool:
        """Remove a saveset, manifest first, and close its tombstone.

        False where a store is absent, another site's, or on another machine: later.
        """
        stores = [self._store(name) for name in media]
        try:
            for store in stores:
                if store is None:
                    return False
                remove_saveset(store, saveset)
        except (DeviceError, OSError):
            return False
        with self._site.catalog.change():
            savesets.close_tombstone(stone)
        return True

    def _store(self, name: str) -> DirectoryStore | None:
        if name not in self._stores:
            self._stores[name] = None
            with contextlib.suppress(DeviceError, NotFound):
                store = drives.get_store(name)
                if not store.rds:
                    self._stores[name] = DirectoryStore(name, store.path, self._site.id)
        return self._stores[name]


def finish(site: Site) -> None:
    """Go on with what is forgotten but not yet removed from stores of this machine."""
    eraser = Eraser(site)
    for stone, saveset, media in savesets.open_tombstones():
        eraser.erase(stone, saveset, media)


def finish_afar(site: Site) -> list[str]:
    """Do so on other machines; return what was in the way, a sentence each."""
    by_name = {one.name: one for one in drives.list_stores() if one.rds}
    waiting: dict[str, list[str]] = defaultdict(list)
    stones: dict[int, set[str]] = {}
    for stone, saveset, media in savesets.open_tombstones():
        if set(media) <= by_name.keys():
            stones[stone] = set(media)
            for name in media:
                waiting[name].append(saveset)
    problems = []
    for name, names in waiting.items():
        try:
            _remove_there(site, by_name[name], names)
        except SesamError as error:
            problems.append(f'data store "{name}": {error}')
            stones = {k: v for k, v in stones.items() if name not in v}
    with site.catalog.change():
        for stone in stones:
            savesets.close_tombstone(stone)
    return problems


def _remove_there(site: Site, store: DataStore, names: Iterable[str]) -> None:
    from sesam.service.afar.remote import remove_savesets_there

    left = iter(names)
    while some := list(islice(left, _AT_ONCE)):
        remove_savesets_there(site, store, some)
