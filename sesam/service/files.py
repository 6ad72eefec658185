"""The files of a saveset as rows, from its listing alone."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sesam.errors import NotFound
from sesam.rules.paths import is_below, normal
from sesam.saveset.listing import Line, decode
from sesam.service.fetching.reading import Passphrase, open_saveset
from sesam.service.fetching.rowtexts import RowTexts, file_time
from sesam.service.ground.site import Site

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


def list_files(
    site: Site,
    name: str,
    paths: Sequence[bytes],
    *,
    merged: bool,
    identities: Sequence[str],
    passphrase: Passphrase,
    texts: bool = False,
) -> Iterator[Any]:
    """Yield the objects of a saveset, at and below `paths` alone if there are any.

    merged -- the whole tree as of that saveset, else what it holds itself
    texts -- rows without anything odd come as ready JSON, at a tenth of the cost
    Raises NotFound where a path names nothing, NoIdentity, Damaged.
    """
    wanted = [normal(path) for path in paths]
    missing = set(wanted)
    with open_saveset(site, name, identities, passphrase) as stored:
        as_text = RowTexts(name, site.zone, merged=merged).text
        quick = texts and not wanted
        for raw in stored.listing(wanted).raw():
            if quick and (text := as_text(raw)) is not None:
                if text:
                    yield text
                continue
            line = decode(raw)
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
