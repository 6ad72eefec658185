"""Looking up savesets: rows of the catalog, parts and where they lie, files."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sesam.catalog.savesets import get_saveset, pieces_of
from sesam.digest import Digest
from sesam.errors import NotFound
from sesam.rules.paths import is_below, normal
from sesam.saveset import manifest
from sesam.saveset.listing import Line
from sesam.service.fetching.pieces import location
from sesam.service.fetching.reading import Passphrase, open_saveset
from sesam.service.fetching.rows import best_copy, row_named
from sesam.service.ground.site import Site
from sesam.terms import Piece

_GIGA = 10**9
FILE_KEYS = (
    "path",
    "path_b64",
    "type",
    "size",
    "mode",
    "uid",
    "gid",
    "mtime",
    "saveset",
)


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


def list_files(
    site: Site,
    name: str,
    paths: Sequence[bytes],
    *,
    merged: bool,
    identities: Sequence[str],
    passphrase: Passphrase,
) -> Iterator[dict[str, Any]]:
    """Yield the objects of a saveset, at and below `paths` alone if there are any.

    merged -- the whole tree as of that saveset, else what it holds itself
    Raises NotFound where a path names nothing, NoIdentity, Damaged.
    """
    wanted = [normal(path) for path in paths]
    missing = set(wanted)
    with open_saveset(site, name, identities, passphrase) as stored:
        for line in stored.listing(wanted).objects():
            if wanted:
                hit = next((one for one in wanted if is_below(line.path, one)), None)
                if hit is None:
                    continue
                missing.discard(hit)
            if line.saveset and not merged:
                continue
            yield _file(line, line.saveset or name, site.zone)
    for path in sorted(missing):
        raise NotFound(
            f'saveset "{name}" holds no "{path.decode("utf-8", "replace")}"',
            hint="paths begin with a slash, as they were on the client",
        )


def file_time(ns: int, zone: ZoneInfo) -> str:
    """Return a file's time in ISO 8601 with nanoseconds, in the site's zone."""
    seconds, fraction = divmod(ns, _GIGA)
    try:
        moment = datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{fraction:09d}"  # beyond what a calendar has
    stamp = moment.replace(microsecond=0).isoformat()
    return f"{stamp[:19]}.{fraction:09d}{stamp[19:]}"


def _file(line: Line, saveset: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "path": line.path,
        "type": line.kind,
        "size": line.size,
        "mode": f"{line.mode:04o}",
        "uid": line.uid,
        "gid": line.gid,
        "mtime": file_time(line.mtime, zone),
        "saveset": saveset,
    }


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
