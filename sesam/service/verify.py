"""Verifying a saveset: every stored byte, then every byte of what it holds.

Size and digest of each piece and part, the manifest included, against the catalog and
against the manifest, and every frame: in one pass over the stored bytes. If asked for,
or if anything is amiss, they are read again, every member of the tar beside its line
of the listing. Judged anew each time: damage that is gone is not remembered.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sesam.catalog import savesets, tasks
from sesam.digest import Digest
from sesam.errors import AWAY, Damaged, NoIdentity, SesamError, WrongUsage
from sesam.ports import Blob
from sesam.saveset import listing, manifest
from sesam.saveset.listing import Line
from sesam.saveset.listread import Reading, check
from sesam.saveset.reader import FramedBlob, listing_text, open_part
from sesam.service.fetching.onepass import OnePass
from sesam.service.fetching.reading import Passphrase, StoredSaveset, open_saveset
from sesam.service.fetching.tarbytes import TarBytes
from sesam.service.ground.joblog import quoted
from sesam.service.ground.site import Site
from sesam.terms import CopyState

DEEP, FULL, STORED = "deep", "full", "stored"
_READ_BYTES = 1 << 20
_ERRORS_SHOWN = 1000
Progress = Callable[[int, int], object]


def chosen(names: Sequence[str], task: str, everything: bool) -> list[str]:
    """Return the savesets to verify. Raises NotFound, WrongUsage."""
    if [bool(names), bool(task), everything].count(True) != 1:
        raise WrongUsage("name savesets, or --task, or --all")
    if task:
        tasks.get_task(task)
    if names:
        return [savesets.get_saveset(name).name for name in names]
    return [one.name for one in savesets.list_savesets(task=task)]


def verify_saveset(
    site: Site,
    name: str,
    identities: Sequence[str],
    passphrase: Passphrase,
    progress: Progress,
    *,
    deep: bool = False,
) -> dict[str, Any]:
    """Return {"saveset", "state", "depth", "bytes", "errors"} of one saveset.

    deep -- read each member of the tar, too, and compare its digest with its line

    Raises what AWAY names where its bytes cannot be asked for: then nothing is judged.
    state -- ok or damaged; depth -- deep or full, or stored where no identity opens it
    Raises NoIdentity where one was named, or a passphrase given, that does not open it.
    """
    found = _Check(name, progress)
    named = bool(identities)

    def ask() -> str:
        nonlocal named
        word = passphrase()
        named = named or bool(word)
        return word

    with open_saveset(site, name, identities, ask) as stored:
        try:
            # Asked for before hours of reading.
            stored.identities()
            depth = FULL
            if deep or not found.at_once(stored):
                found.stored_bytes(stored)
                # Where these are damaged the members tell which files are hit.
                if deep or found.errors:
                    found.members(stored)
                    depth = DEEP
                else:
                    found.frames(stored)
        except NoIdentity:
            # A header that was changed is opened by none: that is damage, no key.
            if named and not found.errors:
                raise
            if not found.read:
                found.stored_bytes(stored)
            depth = STORED
        copy = stored.copy
    state = CopyState.DAMAGED if found.errors else CopyState.OK
    if copy.state is not state:
        with site.catalog.change():
            savesets.set_copy_state(copy.id, state)
    return {
        "saveset": name,
        "state": state.value,
        "depth": depth,
        "bytes": found.read,
        "errors": found.errors,
    }


class _Check:
    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self.errors: list[str] = []
        self.read = 0
        self._objects = 0

    def at_once(self, stored: StoredSaveset) -> bool:
        """Do all that the next two do with one pass over the stored bytes.

        False where anything is amiss: what exactly is for them to say.
        """
        try:
            whole = {name: self._part(stored, name) for name in stored.parts}
            self._against_manifest(stored, whole)
        except AWAY:
            raise
        except SesamError as error:
            self._error(str(error))
        if self.errors:
            self.errors, self.read = [], 0
            return False
        return True

    def _part(self, stored: StoredSaveset, name: str) -> tuple[int, str]:
        """Read a part once; return its size and digest. Raises Damaged."""
        pieces = stored.of_part(name)
        for piece in pieces:
            if piece.place.store:
                blob = stored.open_piece(piece)
                blob.close()
                if blob.size != piece.size_bytes:
                    raise Damaged("a piece has another size")
        read = OnePass(stored.stored(name), pieces, self._count)
        opened: Blob = read
        try:
            if name != manifest.NAME:
                part = opened = open_part(read, name, stored.identities())
                if name.startswith(listing.NAME):
                    check(listing_text(part))
                else:
                    self._frames(part)
            digests, whole = read.rest()
        finally:
            opened.close()
        if digests != [piece.digest for piece in pieces]:
            raise Damaged("a piece has another digest")
        return read.size, whole

    def stored_bytes(self, stored: StoredSaveset) -> None:
        """Compare every piece with the catalog, and every part with the manifest."""
        found: dict[str, tuple[int, str]] = {}
        for part in stored.parts:
            whole, size = Digest(), 0
            for piece in stored.of_part(part):
                digest, length = Digest(), 0
                try:
                    blob = stored.open_piece(piece)
                except AWAY:
                    raise
                except SesamError as error:
                    self._error(f"{part}: {error}")
                    continue
                try:
                    if blob.size != piece.size_bytes:
                        self._error(
                            f"{part} piece {piece.number} has {blob.size} bytes,"
                            f" not {piece.size_bytes}"
                        )
                    while chunk := blob.read_at(length, _READ_BYTES):
                        digest.update(chunk)
                        whole.update(chunk)
                        length += len(chunk)
                        self._count(len(chunk))
                except AWAY:
                    raise
                except SesamError as error:
                    self._error(f"{part}: {error}")
                finally:
                    blob.close()
                size += length
                if digest.hexdigest() != piece.digest:
                    self._error(f"{part} piece {piece.number}: its digest is wrong")
            found[part] = size, whole.hexdigest()
        self._against_manifest(stored, found)

    def frames(self, stored: StoredSaveset) -> None:
        """Decompress every frame of every part, and look whether the listing is whole.

        The stored bytes are those that were written: what they hold is proved by the
        checksum of each frame.
        """
        try:
            for number in range(1, stored.segments + 1):
                self._frames(stored.segment(number))
            check(stored.stored_listing())
        except (*AWAY, NoIdentity):
            raise
        except SesamError as error:
            self._error(str(error))

    def _frames(self, part: FramedBlob) -> None:
        for _ in part.plain_sizes():
            self._progress(0, self.read)  # may end it all

    def members(self, stored: StoredSaveset) -> None:
        """Read frames, tar and listing; name the files that are hit."""
        try:
            lines = Reading(stored.stored_listing())
            self._members(stored, lines)
        except (*AWAY, NoIdentity):
            raise
        except SesamError as error:
            self._error(f"listing: {error}")

    def _members(self, stored: StoredSaveset, lines: Reading) -> None:
        """Read what each line points to.

        Lines are in the order of the tar, but for further names of hard-linked objects:
        they point back to what has been read already.
        """
        last = 0, -1
        bad: set[tuple[int, int]] = set()
        for line in lines.objects():
            place = line.segment, line.offset
            if line.saveset:
                continue
            if place > last:
                last = place
                self._progress(0, self.read)  # may end it all
                why = self._member(stored, line)
                if why:
                    bad.add(place)
                    self._error(f"hit: {quoted(line.path)}: {why}")
            elif place in bad:
                self._error(f"hit: {quoted(line.path)}")

    def _member(self, stored: StoredSaveset, line: Line) -> str:
        """Return what is wrong with a member, "" where nothing is."""
        try:
            tar = TarBytes(stored.segment, line.segment)
            member = tar.member(line.offset)
            if member is None:
                return "the tar ends before it"
            digest = Digest()
            for chunk in tar.chunks(member.content, member.content + member.size):
                digest.update(chunk)
        except (*AWAY, NoIdentity):
            raise
        except SesamError as error:
            return str(error)
        if line.digest and digest.hexdigest() != line.digest:
            return "its content was changed"
        return ""

    def _against_manifest(
        self, stored: StoredSaveset, found: dict[str, tuple[int, str]]
    ) -> None:
        try:
            facts = stored.manifest()
        except AWAY:
            raise
        except SesamError as error:
            self._error(f"{manifest.NAME}: {error}")
            return
        if facts.name != self._name:
            self._error(f'{manifest.NAME} is that of saveset "{facts.name}"')
        for part in facts.parts:
            if part.name not in found:
                self._error(f"{part.name} is in the manifest, not in the catalog")
            elif found[part.name] != (part.size_bytes, part.digest):
                self._error(f"{part.name} is not what the manifest says")

    def _count(self, size: int) -> None:
        self.read += size
        self._progress(0, self.read)

    def _error(self, text: str) -> None:
        if len(self.errors) < _ERRORS_SHOWN:
            self.errors.append(text)
        elif len(self.errors) == _ERRORS_SHOWN:
            self.errors.append("and more")
