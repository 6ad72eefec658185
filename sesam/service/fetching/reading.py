"""Reading a saveset: its pieces wherever they lie, its parts, its listing."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

from sesam.catalog import savesets
from sesam.catalog.savesets import pieces_of
from sesam.crypt.keys import Identity
from sesam.device.directory import FileBlob
from sesam.device.joined import JoinedBlob
from sesam.errors import Damaged, NoIdentity, SesamError
from sesam.ports import Blob, PieceReader
from sesam.rules.records import Saveset
from sesam.saveset import listing, manifest
from sesam.saveset.manifest import Manifest
from sesam.saveset.reader import FramedBlob, listing_text, open_part
from sesam.service.fetching.pieces import piece_reader
from sesam.service.fetching.rows import best_copy
from sesam.service.ground import keys
from sesam.service.ground.site import Site
from sesam.terms import Piece

Passphrase = Callable[[], str]


class StoredSaveset:
    """One copy of a saveset, open for reading; close it when done.

    identities -- files that the admin names; else the site's own keys are tried
    """

    def __init__(
        self,
        site: Site,
        saveset: Saveset,
        *,
        identities: Sequence[str] = (),
        passphrase: Passphrase,
    ) -> None:
        self._site = site
        self.saveset = saveset
        self.copy = best_copy(saveset)
        self.pieces = pieces_of(self.copy.id)
        self._files = tuple(identities)
        self._passphrase = passphrase
        self._reader: PieceReader = piece_reader(site, self.copy)
        self._identities: list[Identity] | None = None
        self._open: dict[str, FramedBlob] = {}

    def __enter__(self) -> "StoredSaveset":
        return self

    def __exit__(self, *error: object) -> None:
        for part in self._open.values():
            part.close()
        self._reader.close()

    @property
    def parts(self) -> list[str]:
        """Return the names of the stored parts, in the order of writing."""
        return list(dict.fromkeys(piece.part for piece in self.pieces))

    def of_part(self, name: str) -> list[Piece]:
        """Return the pieces of a part."""
        return [piece for piece in self.pieces if piece.part == name]

    def open_piece(self, piece: Piece) -> Blob:
        """Return the stored bytes of one piece. Raises NotFound, DeviceError."""
        return self._reader.open_piece(piece)

    def stored(self, name: str) -> JoinedBlob:
        """Return the stored bytes of a part. Raises Damaged where there is none."""
        pieces = self.of_part(name)
        if not pieces:
            raise Damaged(f'saveset "{self.saveset.name}" has no part "{name}"')
        return JoinedBlob(pieces, self._reader)

    def manifest(self) -> Manifest:
        """Return the manifest. Raises Damaged, UnknownFormat, DeviceError."""
        blob = self.stored(manifest.NAME)
        try:
            if blob.size > manifest.SIZE_LIMIT:
                raise Damaged("the manifest is larger than one can be")
            return manifest.decode(blob.read_at(0, blob.size))
        finally:
            blob.close()

    def segment(self, number: int) -> FramedBlob:
        """Return the plain bytes of a data segment. Raises NoIdentity, Damaged."""
        return self.plain(self._named(f"data-{number:04d}.tar.zst"))

    def plain(self, name: str) -> FramedBlob:
        """Return the plain bytes of a part, by its stored name; kept open.

        Only the segment used last stays open: a restore reads forward.
        """
        if name not in self._open:
            for other in list(self._open):
                self._open.pop(other).close()
            self._open[name] = open_part(self.stored(name), name, self.identities())
        return self._open[name]

    def identities(self) -> list[Identity]:
        """Return the identities to try, asked for once."""
        if self._identities is None:
            self._identities = keys.identities_for(
                self._site, self.saveset.recipients, self._files, self._passphrase
            )
            if self.saveset.recipients and not self._identities:
                raise NoIdentity(
                    f'saveset "{self.saveset.name}" is encrypted to'
                    f" {', '.join(self.saveset.recipients)}, and the site has no"
                    " identity of these"
                )
        return self._identities

    def listing(self) -> listing.Reading:
        """Return the listing: the server's copy, else the stored one.

        Raises NoIdentity, Damaged, DeviceError.
        """
        path = self._site.listing_path(self.saveset.name)
        with contextlib.suppress(OSError, SesamError):
            blob = FileBlob(path)
            part = FramedBlob(blob, os.path.basename(path))
            # Read to its end before anything relies on it: it is only a cache.
            for _ in listing.Reading(listing_text(part)).raw():
                pass
            return listing.Reading(_closing(part))
        return listing.Reading(self.stored_listing())

    def stored_listing(self) -> Iterator[bytes]:
        """Yield the plain text of the stored listing."""
        name = self._named(listing.NAME)
        return _closing(open_part(self.stored(name), name, self.identities()))

    def _named(self, bare: str) -> str:
        """Return the stored name of a part, that of an encrypted one included."""
        for name in self.parts:
            if name.removesuffix(".age") == bare:
                return name
        raise Damaged(f'saveset "{self.saveset.name}" has no part "{bare}"')


def open_saveset(
    site: Site, name: str, identities: Sequence[str], passphrase: Passphrase
) -> StoredSaveset:
    """Return a saveset for reading. Raises NotFound, DeviceError."""
    return StoredSaveset(
        site,
        savesets.get_saveset(name),
        identities=identities,
        passphrase=passphrase,
    )


def _closing(part: FramedBlob) -> Iterator[bytes]:
    try:
        yield from listing_text(part)
    finally:
        part.close()
