"""Savesets that a data store holds, told by their manifests alone."""

import os
from collections.abc import Iterator

from sesam.device.directory import DirectoryStore
from sesam.device.directory_pieces import digest_into
from sesam.digest import Digest, hexdigest
from sesam.errors import Damaged, SesamError
from sesam.rules.naming import is_saveset_name
from sesam.saveset import manifest
from sesam.saveset.manifest import Manifest
from sesam.service.moving.mover import Written
from sesam.terms import Part, Piece, Place


def names_in(store: DirectoryStore) -> list[str]:
    """Return the names of the savesets in a store that have a manifest, sorted."""
    return [name for name in store.names() if is_whole(store, name)]


def is_whole(store: DirectoryStore, name: str) -> bool:
    """Tell whether a store has a saveset of that name, its manifest included."""
    return is_begun(store, name) and os.path.lexists(
        store.path(f"{name}/{manifest.NAME}")
    )


def is_begun(store: DirectoryStore, name: str) -> bool:
    """Tell whether a store has a directory of a saveset of that name."""
    path = store.path(name)
    return is_saveset_name(name) and not os.path.islink(path) and os.path.isdir(path)


def manifests_in(store: DirectoryStore) -> Iterator[Manifest]:
    """Yield the manifests in a store; what cannot be read as one is passed over."""
    for name in names_in(store):
        try:
            yield _manifest(store, name)[0]
        except SesamError:
            continue


def written_in(store: DirectoryStore, name: str) -> Written:
    """Return what a store holds of a saveset, as its manifest says.

    Looks at names and sizes, and reads no data but where a part lies in several pieces.
    Raises Damaged, UnknownFormat, NotFound, DeviceError.
    """
    facts, stored = _manifest(store, name)
    pieces: list[Piece] = []
    for part in facts.parts:
        pieces += _pieces(store, name, part)
    own = Part(manifest.NAME, len(stored), hexdigest(stored))
    place = Place(store=store.name, key=f"{name}/{manifest.NAME}")
    pieces.append(Piece(own.name, 1, place, own.size_bytes, own.digest))
    return Written(facts, own, tuple(pieces), (store.name,))


def _manifest(store: DirectoryStore, name: str) -> tuple[Manifest, bytes]:
    blob = store.open(f"{name}/{manifest.NAME}")
    try:
        stored = blob.read_at(0, min(blob.size, manifest.SIZE_LIMIT))
    finally:
        blob.close()
    facts = manifest.decode(stored)
    if facts.name != name:
        raise Damaged(f'the manifest in "{name}" is that of "{facts.name}"')
    return facts, stored


def _pieces(store: DirectoryStore, name: str, part: Part) -> list[Piece]:
    keys = [f"{name}/{part.name}"]
    while os.path.lexists(store.path(f"{name}/{part.name}.p{len(keys) + 1}")):
        keys.append(f"{name}/{part.name}.p{len(keys) + 1}")
    sizes = [store.stat(key) for key in keys]
    if sum(sizes) != part.size_bytes:
        raise Damaged(
            f'"{part.name}" of "{name}" has {sum(sizes)} bytes in data store'
            f' "{store.name}", not {part.size_bytes}'
        )
    return [
        Piece(
            part.name,
            number,
            Place(store=store.name, key=key),
            size,
            part.digest if len(keys) == 1 else _digest(store, key),
        )
        for number, (key, size) in enumerate(zip(keys, sizes, strict=True), 1)
    ]


def _digest(store: DirectoryStore, key: str) -> str:
    digest = Digest()
    digest_into(digest, store.open(key))
    return digest.hexdigest()
