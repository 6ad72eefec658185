"""What lies in the data stores and is in no catalog row, claim or open tombstone.

`unknown` is a whole saveset, as another catalog of this site or sm_sms from a shell has
written it; `unfinished` one without a manifest; `foreign` what is no saveset at all.
"""

from dataclasses import dataclass

from sesam.catalog import drives
from sesam.catalog.retention import known_places
from sesam.device.directory import DirectoryStore
from sesam.device.directory_writer import remove_saveset
from sesam.errors import DeviceError, SesamError
from sesam.service import clockwatch, scan
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site

UNKNOWN, UNFINISHED, FOREIGN = "unknown", "unfinished", "foreign"


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in a data store that the catalog does not know."""

    store: str
    name: str
    kind: str

    def text(self) -> str:
        """Return what it is, for people."""
        what = {
            UNKNOWN: "a saveset that the catalog does not know",
            UNFINISHED: "remains of a saveset, without a manifest",
            FOREIGN: "which is no saveset",
        }
        return f'data store "{self.store}" holds "{self.name}", {what[self.kind]}'


def find(site: Site) -> list[Stray]:
    """Return the strays in the stores of this machine that are here and this site's.

    One look into each store: only what is not known is looked at more closely.
    """
    stores = {one.name: one for one in _stores(site)}
    # The catalog is asked after the stores: a saveset is claimed before it is there.
    entries = [(one, name) for one in stores for name in stores[one].names()]
    names, pairs = known_places()
    return [
        Stray(store, name, _kind(stores[store], name))
        for store, name in entries
        if name not in names and (name, store) not in pairs
    ]


def remove(site: Site, found: list[Stray]) -> list[Stray]:
    """Remove the unknown and the unfinished savesets; return what is left.

    Raises Protected while deletions are paused, DeviceError.
    """
    clockwatch.refuse_deletion(site)
    stores = {one.name: one for one in _stores(site)}
    left = []
    for stray in found:
        store = stores.get(stray.store)
        if store is None or stray.kind == FOREIGN:
            left.append(stray)
            continue
        with site.catalog.change():
            detail = f"{stray.kind} in {stray.store}"
            record(site, "delete unknown", stray.name, detail)
        try:
            remove_saveset(store, stray.name)
        except OSError as error:
            raise DeviceError(
                f'data store "{store.name}": "{stray.name}" cannot be removed:'
                f" {error.strerror}"
            ) from error
    return left


def _kind(store: DirectoryStore, name: str) -> str:
    if not scan.is_begun(store, name):
        return FOREIGN
    return UNKNOWN if scan.is_whole(store, name) else UNFINISHED


def _stores(site: Site) -> list[DirectoryStore]:
    found = []
    for store in drives.list_stores():
        if not store.rds:
            try:
                found.append(DirectoryStore(store.name, store.path, site.id))
            except SesamError:
                continue
    return found
