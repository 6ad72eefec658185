"""How full the data stores are, and whether they are there."""

import shutil
from dataclasses import dataclass

from sesam.catalog import drives
from sesam.errors import SesamError
from sesam.service.ground.site import Site
from sesam.service.moving.targets import open_store


@dataclass(frozen=True, slots=True)
class StoreSeen:
    """A data store, and the file system it lies on.

    rds -- client on whose machine it lies: it is not looked at then
    problem -- why it cannot be used; used_bytes, size_bytes -- 0 where not known
    """

    name: str
    high_water: int
    rds: str = ""
    problem: str = ""
    used_bytes: int = 0
    size_bytes: int = 0

    @property
    def used_percent(self) -> int | None:
        """Percent of the disk that is used; None where that is not known."""
        return 100 * self.used_bytes // self.size_bytes if self.size_bytes else None

    @property
    def is_near_full(self) -> bool:
        return (self.used_percent or 0) >= self.high_water


def stores(site: Site) -> list[StoreSeen]:
    """Look at each data store of this machine."""
    found = []
    for store in drives.list_stores():
        name, mark = store.name, store.high_water
        if store.rds:
            found.append(StoreSeen(name, mark, store.rds))
            continue
        try:
            open_store(store, site)
            disk = shutil.disk_usage(store.path)
        except SesamError as error:
            found.append(StoreSeen(name, mark, problem=str(error)))
        except OSError as error:
            why = f'data store "{name}": {error.strerror}'
            found.append(StoreSeen(name, mark, problem=why))
        else:
            seen = StoreSeen(name, mark, used_bytes=disk.used, size_bytes=disk.total)
            found.append(seen)
    return found
