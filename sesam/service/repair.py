"""Putting right what killed processes left: jobs, claims, half-written savesets.

Cheap when there is nothing to do: every command that writes calls it first.
"""

import contextlib

from sesam.catalog import drives, jobs, reaping, savesets
from sesam.catalog import media as catalog_media
from sesam.device.directory import DirectoryStore
from sesam.device.directory_writer import remove_saveset
from sesam.digest import Digest, hexdigest
from sesam.errors import DeviceError, NotFound, SesamError
from sesam.rules.records import Job
from sesam.saveset import manifest
from sesam.service.ground import owner
from sesam.service.ground.site import Site
from sesam.service.moving import commit
from sesam.service.moving.mover import Written
from sesam.terms import Part, Piece, Place

_READ_BYTES = 1 << 20


def settle(site: Site) -> list[Job]:
    """End jobs whose worker is gone, settle their savesets; return those jobs.

    A saveset whose manifest is right is complete and committed; of any other one
    nothing is kept. What lies in a store that is absent now waits for it.
    """
    gone = reaping.reap(site.catalog, owner.JUDGE, site.clock())
    for saveset, media, job_id in jobs.dead_claims():
        with contextlib.suppress(DeviceError, NotFound, OSError):
            _settle_claim(site, saveset, media, job_id)
    for number, saveset, media in savesets.open_tombstones():
        with contextlib.suppress(DeviceError, NotFound, OSError):
            for store in _stores(site, media):
                remove_saveset(store, saveset)
            with site.catalog.change():
                savesets.close_tombstone(number)
    return gone


def _settle_claim(
    site: Site, saveset: str, media: tuple[str, ...], job_id: int
) -> None:
    if set(media) <= {one.label for one in catalog_media.list_media()}:
        # On tape nothing counts without its row: the next saveset is written over it.
        with site.catalog.change():
            jobs.close_claim(saveset)
        return
    stores = _stores(site, media)
    written = None
    if not savesets.is_known(saveset):
        with contextlib.suppress(SesamError):
            written = complete(stores, saveset)
        if written is None:
            for store in stores:
                remove_saveset(store, saveset)
    with site.catalog.change():
        if written is None:
            jobs.close_claim(saveset)
        else:
            savesets.commit_saveset(*commit.records_of(written, site.zone), job_id)


def complete(stores: list[DirectoryStore], saveset: str) -> Written | None:
    """Return what the stores hold of a saveset, None where it is not whole.

    Every part is read and compared with the manifest. Raises UnknownFormat, Damaged,
    DeviceError.
    """
    pieces = sorted(
        (piece for store in stores for piece in _pieces(store, saveset)),
        key=lambda piece: (piece.part == manifest.NAME, piece.part, piece.number),
    )
    by_name = {store.name: store for store in stores}
    stored = b"".join(
        by_name[piece.place.store].open(piece.place.key).read_at(0, piece.size_bytes)
        for piece in pieces
        if piece.part == manifest.NAME
    )
    if not stored:
        return None
    facts = manifest.decode(stored)
    for part in facts.parts:
        digest, size = Digest(), 0
        for piece in pieces:
            if piece.part == part.name:
                size += _digest_into(digest, by_name[piece.place.store], piece)
        if (size, digest.hexdigest()) != (part.size_bytes, part.digest):
            return None
    media = tuple(store.name for store in stores)
    used = tuple(name for name in media if any(p.place.store == name for p in pieces))
    part = Part(manifest.NAME, len(stored), hexdigest(stored))
    return Written(facts, part, tuple(pieces), used)


def _stores(site: Site, media: tuple[str, ...]) -> list[DirectoryStore]:
    """Return the stores of that name, all here. Raises DeviceError, NotFound."""
    found = []
    for name in media:
        store = drives.get_store(name)
        if store.rds:
            raise DeviceError(f'data store "{name}" lies on client "{store.rds}"')
        found.append(DirectoryStore(store.name, store.path, site.id))
    return found


def _pieces(store: DirectoryStore, saveset: str) -> list[Piece]:
    found = []
    for key in store.keys(saveset + "/"):
        name = key.partition("/")[2]
        part, mark, number = name.rpartition(".p")
        if not (mark and number.isdecimal()):
            part, number = name, "1"
        digest = Digest()
        place = Place(store=store.name, key=key)
        piece = Piece(part, int(number), place, store.stat(key), "")
        _digest_into(digest, store, piece)
        found.append(
            Piece(part, int(number), place, piece.size_bytes, digest.hexdigest())
        )
    return found


def _digest_into(digest: Digest, store: DirectoryStore, piece: Piece) -> int:
    blob = store.open(piece.place.key)
    try:
        for at in range(0, blob.size, _READ_BYTES):
            digest.update(blob.read_at(at, _READ_BYTES))
        return blob.size
    finally:
        blob.close()
