"""Opening pieces wherever they lie: stores here, stores of other machines, tapes."""

from typing import TYPE_CHECKING, Protocol

from sesam.catalog import drives, media
from sesam.device.directory import DirectoryStore
from sesam.errors import NotFound
from sesam.ports import Blob, PieceReader
from sesam.rules.records import Copy, DataStore
from sesam.service.ground.site import Site
from sesam.terms import Piece

if TYPE_CHECKING:
    from sesam.service.fetching.tapepieces import TapePieces


class _Opened(Protocol):
    """A store that is open for reading, here or on another machine."""

    def open(self, key: str) -> Blob: ...
    def close(self) -> None: ...


class StorePieces:
    """A PieceReader over the data stores of the site; each is opened once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stores: dict[str, _Opened] = {}

    def open_piece(self, piece: Piece) -> Blob:
        return self._store(piece.place.store).open(piece.place.key)

    def close(self) -> None:
        for store in self._stores.values():
            store.close()

    def _store(self, name: str) -> _Opened:
        if name not in self._stores:
            self._stores[name] = self._opened(drives.get_store(name))
        return self._stores[name]

    def _opened(self, store: DataStore) -> _Opened:
        if not store.rds:
            return DirectoryStore(store.name, store.path, self._site.id)
        from sesam.service.afar.remote import open_store_there

        return open_store_there(self._site, store)


class Readers:
    """The readers that one restore needs: one for all stores, one drive for a pool."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stores = StorePieces(site)
        self._tapes: dict[str, TapePieces] = {}
        self._labels: dict[str, set[str]] = {}

    def of(self, copy: Copy) -> PieceReader:
        """Return the reader for the pieces of a copy."""
        if copy.pool not in self._labels:
            found = media.list_media(pool=copy.pool)
            self._labels[copy.pool] = {one.label for one in found}
        if not self._labels[copy.pool] & set(copy.media):
            return self._stores
        if copy.pool not in self._tapes:
            # Loaded where a tape is read: most commands read none.
            from sesam.service.fetching.tapepieces import TapePieces

            self._tapes[copy.pool] = TapePieces(self._site)
        return self._tapes[copy.pool]

    def close(self) -> None:
        """Give stores and drives back."""
        self._stores.close()
        for one in self._tapes.values():
            one.close()


def location(piece: Piece) -> str:
    """Return where a piece lies, for people: a file's path, a medium and tape file."""
    place = piece.place
    if place.medium:
        return f"{place.medium}:{place.file}"
    try:
        store = drives.get_store(place.store)
    except NotFound:
        return place.key
    path = f"{store.path}/{place.key}"
    return f"{store.rds}:{path}" if store.rds else path
