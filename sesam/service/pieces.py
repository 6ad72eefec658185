"""Opening pieces wherever they lie: stores here, stores of other machines, tapes."""

from sesam.catalog import drives
from sesam.device.directory import DirectoryStore
from sesam.errors import NotFound
from sesam.ports import Blob, PieceReader
from sesam.rules.records import Copy
from sesam.service.site import Site
from sesam.terms import Piece


class StorePieces:
    """A PieceReader over the data stores of the site; each is opened once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stores: dict[str, DirectoryStore] = {}

    def open_piece(self, piece: Piece) -> Blob:
        return self._store(piece.place.store).open(piece.place.key)

    def close(self) -> None:
        """Nothing is held between pieces."""

    def _store(self, name: str) -> DirectoryStore:
        if name not in self._stores:
            store = drives.get_store(name)
            self._stores[name] = DirectoryStore(store.name, store.path, self._site.id)
        return self._stores[name]


def piece_reader(site: Site, copy: Copy) -> PieceReader:
    """Return the reader for the pieces of a copy."""
    return StorePieces(site)


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
