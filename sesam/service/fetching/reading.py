"""Reading a saveset: its pieces wherever they lie, its parts, its listing."""

from collections.abc import Callable, Iterator, Sequence

from sesam.catalog import savesets
from sesam.catalog.savesets import pieces_of
from sesam.crypt.agefile import AgeBlob
from sesam.crypt.keys import Identity
from sesam.device.joined import JoinedBlob
from sesam.errors import Damaged, NoIdentity
from sesam.ports import Blob, PieceReader
from sesam.rules.records import Saveset
from sesam.saveset import listing, listread, manifest
from sesam.saveset.manifest import Manifest
from sesam.saveset.parts import AGE, segment_name
from sesam.saveset.reader import FramedBlob, listing_text, open_part
from sesam.service.fetching import listings
from sesam.service.fetching.pieces import Readers
from sesam.service.fetching.rows import best_copy
from sesam.service.fetching.shelf import Shelf
from sesam.service.fetching.spool import fetched
from sesam.service.ground import keys
from sesam.service.ground.site import Site
from sesam.terms import Piece

Passphrase = Callable[[], str]


class StoredSaveset:
    """One copy of a saveset, open for reading; close it when done.

    identities -- files that the admin names; else the site's own keys are tried
    sealed -- no identity is looked for: what is encrypted stays so
    beside -- another saveset that is open: readers and identities are shared with it
    """

    def __init__(
        self,
        site: Site,
        saveset: Saveset,
        *,
        identities: Sequence[str] = (),
        passphrase: Passphrase,
        sealed: bool = False,
        beside: "StoredSaveset | None" = None,
    ) -> None:
        self._site = site
        self.saveset = saveset
        self.copy = best_copy(saveset)
        self.pieces = pieces_of(self.copy.id)
        self._files = tuple(identities)
        self._passphrase = passphrase
        self._beside = beside
        self._readers: Readers = beside._readers if beside else Readers(site)
        self._reader: PieceReader = self._readers.of(self.copy)
        self._identities: list[Identity] | None = [] if sealed else None
        self._open: dict[str, FramedBlob] = {}

    def __enter__(self) -> "StoredSaveset":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held."""
        for part in self._open.values():
            part.close()
        if self._beside is None:
            self._readers.close()

    def beside(self, saveset: Saveset) -> "StoredSaveset":
        """Open another saveset with the same identities; close this one after it."""
        return StoredSaveset(
            self._site,
            saveset,
            identities=self._files,
            passphrase=self._passphrase,
            beside=self,
        )

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

    @property
    def segments(self) -> int:
        """Return how many data segments there are."""
        return sum(name.startswith("data-") for name in self.parts)

    def segment(self, number: int) -> FramedBlob:
        """Return the plain bytes of a data segment. Raises NoIdentity, Damaged."""
        return self.plain(self._named(segment_name(number)))

    def open_segment(
        self, number: int, opened: Callable[[Blob, str], FramedBlob] | None
    ) -> FramedBlob:
        """Return a data segment that the caller closes; opened -- as of `open_part`."""
        name = self._named(segment_name(number))
        return open_part(self.stored(name), name, self.identities(), opened)

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
        other = self._beside
        if (
            self._identities is None
            and other is not None
            and set(other.saveset.recipients) == set(self.saveset.recipients)
        ):
            self._identities = other.identities()
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

    def listing(self, paths: Sequence[bytes] = ()) -> listread.Reading:
        """Return the listing: the server's copy, else the stored one.

        paths -- as for `Reading`. A copy that is lost is made again.
        Raises NoIdentity, Damaged, DeviceError.
        """
        try:
            return listread.Reading(listings.text(self.listing_file()), paths)
        except OSError:  # the copy cannot be written: then without one
            return listread.Reading(self.stored_listing(), paths)
        except Damaged:  # its seek table alone, perhaps
            listread.check(self.stored_listing())
            return listread.Reading(self.stored_listing(), paths)

    def listing_file(self, *, thorough: bool = True) -> str:
        """Return the server's copy of the listing, fetched where it is missing.

        thorough -- as for `listings.cached`. Raises NoIdentity, Damaged, DeviceError;
        OSError where it cannot be written.
        """
        path = self._site.listing_path(self.saveset.name)
        name = self._named(listing.NAME)
        pieces = self.of_part(name)
        # As it is stored, its digest tells at once whether the copy is whole.
        same = name == listing.NAME and len(pieces) == 1
        digest = pieces[0].digest if same else ""
        if listings.cached(path, digest=digest, thorough=thorough):
            return path
        blob: Blob = self.stored(name)
        if name.endswith(AGE):
            blob = AgeBlob(blob, self.identities())
        try:
            return listings.keep(path, blob)
        finally:
            blob.close()

    def stored_listing(self) -> Iterator[bytes]:
        """Yield the plain text of the stored listing.

        From a tape it is fetched first: what it points to lies elsewhere on it.
        """
        name = self._named(listing.NAME)
        blob: Blob = self.stored(name)
        if any(piece.place.medium for piece in self.of_part(name)):
            blob = fetched(blob)
        return _closing(open_part(blob, name, self.identities()))

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


def shelf_of(own: StoredSaveset, chain: Sequence[Saveset] = ()) -> Shelf:
    """Return the savesets that the listing of `own` points to, to be opened when met.

    chain -- what is known of them: those need no look into the catalog
    """
    known = {one.name: one for one in chain}

    def reach(name: str) -> StoredSaveset:
        if name == own.saveset.name:
            return own
        return own.beside(known.get(name) or savesets.get_saveset(name))

    sizes = {one.name: one.stored_bytes for one in chain}
    return Shelf(own.saveset.name, sizes, reach)
