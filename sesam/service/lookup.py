"""Looking up savesets: rows of the catalog, parts and where they lie."""

from datetime import date
from typing import Any

from sesam.catalog.retention import holdings
from sesam.catalog.savesets import get_saveset, pieces_of
from sesam.digest import Digest
from sesam.rules.retention import effective_eols
from sesam.saveset import manifest
from sesam.service.fetching.pieces import location
from sesam.service.fetching.reading import open_saveset
from sesam.service.fetching.rows import best_copy, row_named
from sesam.service.ground.site import Site
from sesam.terms import Piece

_GIGA = 10**9


def show_saveset(site: Site, name: str) -> dict[str, Any]:
    """Return a saveset's row and its parts, the manifest first. Raises NotFound."""
    saveset = get_saveset(name)
    pieces = pieces_of(best_copy(saveset).id)
    names = list(dict.fromkeys(piece.part for piece in pieces))
    names.sort(key=lambda one: one != manifest.NAME)
    parts = [_part(one, [p for p in pieces if p.part == one]) for one in names]
    digests = _digests(site, name) if any("pieces" in part for part in parts) else {}
    for part in parts:
        part["digest"] = digests.get(part["name"], part["digest"])
    return {**row_named(name), "parts": parts}


def media_eols() -> dict[str, date]:
    """Return by data store or label the latest effective EOL of what lies there.

    A medium is needed as long as the savesets on it, and these as long as what builds
    on them.
    """
    found: dict[str, date] = {}
    savesets = holdings()
    eols = effective_eols(savesets)
    for saveset in savesets:
        eol = eols[saveset.name]
        for name in (name for copy in saveset.copies for name in copy.media):
            found[name] = max(found.get(name, eol), eol)
    return found


def _part(name: str, pieces: list[Piece]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name,
        "location": location(pieces[0]),
        "bytes": sum(piece.size_bytes for piece in pieces),
        "digest": pieces[0].digest,
    }
    if len(pieces) > 1:
        facts["pieces"] = [
            {
                "number": piece.number,
                "location": location(piece),
                "bytes": piece.size_bytes,
                "digest": piece.digest,
            }
            for piece in pieces
        ]
    return facts


def _digests(site: Site, name: str) -> dict[str, str]:
    """Return the digests of whole parts, which the manifest alone knows."""
    with open_saveset(site, name, (), lambda: "") as stored:
        found = {part.name: part.digest for part in stored.manifest().parts}
        blob = stored.stored(manifest.NAME)
        digest = Digest(blob.read_at(0, blob.size))
        blob.close()
        return {**found, manifest.NAME: digest.hexdigest()}
