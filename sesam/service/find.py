"""Finding paths in the history: which savesets have them, and what became of them.

Each listing is scanned once, as text: a line is looked at only where the literal part
of the pattern stands in it. What changed is told by the lines of the saveset before: of
the base, or of the task's saveset before a FULL.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sesam.catalog import savesets, tasks
from sesam.errors import SesamError
from sesam.rules.glob import PathGlob
from sesam.rules.records import Saveset
from sesam.saveset import listing
from sesam.saveset.listing import Line, escape, is_gone, unescape
from sesam.service.fetching import listings
from sesam.service.fetching.reading import Passphrase, StoredSaveset
from sesam.service.fetching.rowtexts import file_time
from sesam.service.ground.site import Site

KEYS = ("path", "saveset", "level", "backup_day", "size", "mtime", "change")
ADDED, CHANGED, GONE, SAME = "added", "changed", "deleted", "same"


@dataclass(slots=True)
class Search:
    """What is looked for, and what could not be searched: (saveset, why)."""

    pattern: bytes
    task: str = ""
    identities: tuple[str, ...] = ()
    passphrase: Passphrase = str
    failed: list[tuple[str, str]] = field(default_factory=list)


# The lines of one saveset that match, by path; None where it is gone since the base.
_Hits = dict[bytes, Line | None]


def find(site: Site, search: Search) -> Iterator[dict[str, Any]]:
    """Yield the rows of `sm_backup find`, oldest saveset first.

    Raises NotFound for a task that is not there, WrongUsage.
    """
    glob = PathGlob(search.pattern)
    if search.task:
        tasks.get_task(search.task)
    known: dict[str, _Hits] = {}
    newest: dict[str, str] = {}
    for saveset in savesets.list_savesets(task=search.task):
        try:
            hits = _hits(site, saveset, search, glob)
        except SesamError as error:
            search.failed.append((saveset.name, str(error)))
            continue
        before = known.get(saveset.base or newest.get(saveset.task, ""), {})
        yield from _rows(site, saveset, hits, before)
        known[saveset.name] = hits
        newest[saveset.task] = saveset.name


def _hits(site: Site, saveset: Saveset, search: Search, glob: PathGlob) -> _Hits:
    with StoredSaveset(
        site, saveset, identities=search.identities, passphrase=search.passphrase
    ) as stored:
        path = stored.listing_file(thorough=False)
    found: _Hits = {}
    for line in _candidates(listings.text(path), escape(glob.literal)):
        name = unescape(line.partition(b"\t")[0])
        if line[:1] != b"#" and glob.matches(name):
            found[name] = None if is_gone(line) else listing.decode(line)
    return found


def _candidates(text: Iterable[bytes], literal: bytes) -> Iterator[bytes]:
    """Yield the lines that hold the literal; all lines for the empty one."""
    rest = b""
    for piece in text:
        chunk = rest + piece
        end = chunk.rfind(b"\n") + 1
        rest = chunk[end:]
        at = chunk.find(literal, 0, end)
        while 0 <= at < end:
            begin = chunk.rfind(b"\n", 0, at) + 1
            stop = chunk.find(b"\n", at)
            yield chunk[begin:stop]
            at = chunk.find(literal, stop + 1, end)


def _rows(
    site: Site, saveset: Saveset, hits: _Hits, before: _Hits
) -> Iterator[dict[str, Any]]:
    for path in sorted(hits.keys() | before.keys()):
        line, old = hits.get(path), before.get(path)
        shown = line or old
        if shown is None:
            continue
        yield {
            "path": path,
            "saveset": saveset.name,
            "level": saveset.level.value,
            "backup_day": saveset.backup_day,
            "size": shown.size,
            "mtime": file_time(shown.mtime, site.zone),
            "change": _change(line, old, has_base=bool(saveset.base)),
        }


def _change(line: Line | None, old: Line | None, *, has_base: bool) -> str:
    if line is None:
        return GONE
    if old is None:
        return ADDED
    if has_base:
        return SAME if line.saveset else CHANGED
    same = (line.kind, line.size, line.mtime, line.ctime, line.inode)
    return (
        SAME
        if same == (old.kind, old.size, old.mtime, old.ctime, old.inode)
        else CHANGED
    )
