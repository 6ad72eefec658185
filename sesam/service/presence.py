"""Whether the stored pieces are there: a look at each, no byte of them is read.

An absent store changes nothing, and a store on another machine is not looked at. What
is missing, or shorter than it was, is judged anew each time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sesam.catalog import drives, savesets
from sesam.catalog.retention import StoredPiece, copies_among, stored_pieces
from sesam.device.directory import DirectoryStore
from sesam.errors import AWAY, NotFound, SesamError
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site
from sesam.terms import CopyState

_JUDGED = (CopyState.OK, CopyState.DAMAGED, CopyState.MISSING)


@dataclass(frozen=True, slots=True)
class Presence:
    """A copy, its state in the catalog, and the one that was found, with the reason."""

    copy: int
    saveset: str
    known: CopyState
    found: CopyState
    why: str


def look(site: Site) -> list[Presence]:
    """Return the copies in data stores that are not `ok`, now or as known so far."""
    stores = _stores(site)
    found = [
        _judged(number, list(pieces), stores)
        for number, pieces in groupby(stored_pieces(), attrgetter("copy"))
    ]
    wrong = [
        one
        for one in found
        if one.known in _JUDGED and {one.known, one.found} != {CopyState.OK}
    ]
    # One that was deleted while it was looked at is no longer missed.
    there = copies_among(one.copy for one in wrong)
    return [one for one in wrong if one.copy in there]


def note(site: Site, found: Iterable[Presence]) -> int:
    """Record what was found; return how many copies have another state now."""
    changed = [one for one in found if one.found is not one.known]
    for one in changed:
        with site.catalog.change():
            savesets.set_copy_state(one.copy, one.found)
            what = f"copy {one.copy} is {one.found}"
            record(site, what, one.saveset, one.why)
    return len(changed)


def _judged(
    number: int, pieces: list[StoredPiece], stores: dict[str, DirectoryStore]
) -> Presence:
    saveset, known = pieces[0].saveset, pieces[0].state
    found, why = known, ""
    if known in _JUDGED:
        faults = dict(_faults(pieces, stores))
        for state in (CopyState.MISSING, CopyState.DAMAGED):
            if state in faults:
                return Presence(number, saveset, known, state, faults[state])
        # Damage within the bytes shows to who reads them: verify takes that back.
        if known is CopyState.MISSING and all(one.store in stores for one in pieces):
            found, why = CopyState.OK, "it is there again"
    return Presence(number, saveset, known, found, why or f"it was found {known}")


def _faults(
    pieces: list[StoredPiece], stores: dict[str, DirectoryStore]
) -> Iterator[tuple[CopyState, str]]:
    """Yield what is wrong with the pieces that lie in these stores."""
    for piece in pieces:
        store = stores.get(piece.store)
        if store is None:
            continue
        try:
            size = store.stat(piece.key)
        except NotFound as error:
            yield CopyState.MISSING, str(error)
            continue
        except AWAY:
            del stores[piece.store]  # it has gone meanwhile
            continue
        except SesamError:
            continue  # it cannot be looked at now: nothing is known of it
        if size != piece.size_bytes:
            where = f'data store "{store.name}": "{piece.key}"'
            yield (
                CopyState.DAMAGED,
                f"{where} has {size} bytes, not {piece.size_bytes}",
            )


def _stores(site: Site) -> dict[str, DirectoryStore]:
    """Return the stores of this machine that are here and this site's."""
    found = {}
    for store in drives.list_stores():
        if not store.rds:
            try:
                found[store.name] = DirectoryStore(store.name, store.path, site.id)
            except SesamError:
                continue
    return found
