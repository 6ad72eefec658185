"""What a mover that was killed has left of a saveset, and what that is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sesam.device.directory import DirectoryStore
from sesam.device.directory_pieces import digest_into, pieces_in
from sesam.device.directory_writer import remove_saveset
from sesam.digest import Digest, hexdigest
from sesam.errors import Damaged
from sesam.ports import Blob
from sesam.rules.records import DataStore
from sesam.saveset import manifest
from sesam.saveset.manifest import Manifest
from sesam.service.ground.site import Site
from sesam.service.moving.mover import Written
from sesam.terms import Part, Piece


class Shelf(Protocol):
    """A store, here or on another machine, in which a saveset may have been left.

    Every call raises DeviceError or ClientError where the store cannot be used.
    """

    @property
    def name(self) -> str: ...
    def pieces(self, saveset: str) -> list[Piece]:
        """Return what is there of a saveset, digests of what the pieces hold now."""

    def open(self, key: str) -> Blob:
        """Return the bytes of a piece."""

    def remove(self, saveset: str) -> None:
        """Remove what is there of a saveset, its manifest first."""

    def close(self) -> None:
        """Give the store back."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A saveset that has its manifest; damage -- what it lacks, "" = it is whole."""

    written: Written
    damage: str


def judge(shelves: Sequence[Shelf], saveset: str) -> Leftover | None:
    """Return what is left of a saveset; None where nothing of it may be kept.

    That is so without a manifest, or with one whose own digest is wrong: it was being
    written. Every part is read. Raises Damaged or UnknownFormat where a manifest whose
    digest is right is not understood, DeviceError where something cannot be read.
    """
    by_name = {shelf.name: shelf for shelf in shelves}
    pieces = sorted(
        (piece for shelf in shelves for piece in shelf.pieces(saveset)),
        key=lambda piece: (piece.part == manifest.NAME, piece.part, piece.number),
    )
    stored = b"".join(
        _bytes(by_name[piece.place.store], piece)
        for piece in pieces
        if piece.part == manifest.NAME
    )
    if not manifest.is_sealed(stored):
        return None
    facts = manifest.decode(stored)
    if facts.name != saveset:
        raise Damaged(f'the manifest in "{saveset}" is that of "{facts.name}"')
    used = tuple(name for name in by_name if any(p.place.store == name for p in pieces))
    part = Part(manifest.NAME, len(stored), hexdigest(stored))
    written = Written(facts, part, tuple(pieces), used)
    return Leftover(written, _damage(facts, pieces, by_name))


def _damage(facts: Manifest, pieces: Sequence[Piece], shelves: dict[str, Shelf]) -> str:
    for part in facts.parts:
        mine = [piece for piece in pieces if piece.part == part.name]
        if [piece.number for piece in mine] != list(
            range(1, len(mine) + 1)
        ) or not mine:
            return f'"{part.name}" is not whole'
        size = sum(piece.size_bytes for piece in mine)
        if size != part.size_bytes:
            return f'"{part.name}" has {size} bytes, not {part.size_bytes}'
        if _digest(mine, shelves) != part.digest:
            return f'"{part.name}" is not what the manifest says'
    return ""


def _bytes(shelf: Shelf, piece: Piece) -> bytes:
    blob = shelf.open(piece.place.key)
    try:
        return blob.read_at(0, min(blob.size, manifest.SIZE_LIMIT))
    finally:
        blob.close()


class ShelfHere:
    """A data store of this machine."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store
        self.open = store.open

    @property
    def name(self) -> str:
        return self._store.name

    def pieces(self, saveset: str) -> list[Piece]:
        return pieces_in(self._store, saveset)

    def remove(self, saveset: str) -> None:
        remove_saveset(self._store, saveset)

    def close(self) -> None:
        """Nothing is held."""


class ShelfThere:
    """A data store of another machine: digests are made there, bytes stay there."""

    def __init__(self, site: Site, store: DataStore) -> None:
        from sesam.service.afar.remote import open_store_there, remove_savesets_there

        self._remove = partial(remove_savesets_there, site, store)
        self._remote = open_store_there(site, store)
        self.name = store.name
        self.open = self._remote.open
        self.close = self._remote.close

    def pieces(self, saveset: str) -> list[Piece]:
        return self._remote.pieces(saveset)

    def remove(self, saveset: str) -> None:
        self._remove([saveset])


def _digest(pieces: Sequence[Piece], shelves: dict[str, Shelf]) -> str:
    if len(pieces) == 1:
        return pieces[0].digest
    digest = Digest()
    for piece in pieces:
        digest_into(digest, shelves[piece.place.store].open(piece.place.key))
    return digest.hexdigest()
