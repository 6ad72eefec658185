"""What a data store holds of a saveset now, each piece with its digest."""

from sesam.device.directory import DirectoryStore
from sesam.digest import Digest
from sesam.ports import Blob
from sesam.terms import Piece, Place

_READ_BYTES = 1 << 20


def pieces_in(store: DirectoryStore, saveset: str) -> list[Piece]:
    """Return the pieces of a saveset in a store, by key; every byte is read.

    Raises DeviceError, NotFound where one vanishes meanwhile.
    """
    found = []
    for key in store.keys(saveset + "/"):
        name = key.partition("/")[2]
        part, mark, number = name.rpartition(".p")
        if not (mark and number.isdecimal()):
            part, number = name, "1"
        digest = Digest()
        size = digest_into(digest, store.open(key))
        place = Place(store=store.name, key=key)
        found.append(Piece(part, int(number), place, size, digest.hexdigest()))
    return found


def digest_into(digest: Digest, blob: Blob) -> int:
    """Add all bytes of a blob to a digest and close it; return how many they were."""
    size = 0
    try:
        while chunk := blob.read_at(size, _READ_BYTES):
            digest.update(chunk)
            size += len(chunk)
    finally:
        blob.close()
    return size
