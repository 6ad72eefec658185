"""The server's copies of listings: what is not used any more goes, to be fetched again.

Kept where the stored listing is of no use to the server: an encrypted saveset's, which
an identity alone opens.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sesam.catalog.retention import encrypted_savesets, known_places
from sesam.service.ground.site import Site

UNUSED = timedelta(days=30)
_SUFFIX = ".listing.zst"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Unused:
    """A copy of a listing that goes: its file, and why.

    used_ns -- when it was used last, as its file says
    """

    path: str
    saveset: str
    size_bytes: int
    reason: str
    used_ns: int


def unused(site: Site) -> list[Unused]:
    """Return the copies that were not read for 30 days, or whose saveset is gone."""
    directory = site.path("var/lis")
    since = site.clock().timestamp() - UNUSED.total_seconds()
    files = sorted(_files(directory))
    # Asked for after the files: a saveset is known before its listing is there.
    names, pairs = known_places()
    names |= {name for name, _ in pairs}
    encrypted = encrypted_savesets()
    found = []
    for saveset, path, facts in files:
        if saveset not in names:
            reason = "its saveset is gone"
        elif max(facts.st_atime, facts.st_mtime) >= since or saveset in encrypted:
            continue
        else:
            reason = f"not read for {UNUSED.days} days"
        found.append(Unused(path, saveset, facts.st_size, reason, facts.st_mtime_ns))
    return found


def drop(found: Iterable[Unused]) -> int:
    """Remove them; return how many there were. What was used meanwhile stays."""
    count = 0
    for one in found:
        try:
            if os.lstat(one.path).st_mtime_ns == one.used_ns:
                os.unlink(one.path)
                count += 1
        except OSError:
            continue  # it is only a cache, and somebody may have been faster
    return count


def _files(directory: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield saveset, path and facts of each copy, half-written ones among them."""
    try:
        with os.scandir(directory) as entries:
            for one in entries:
                name = one.name.removesuffix(_PART)
                saveset = name.removesuffix(_SUFFIX)
                if saveset != name and one.is_file(follow_symlinks=False):
                    try:
                        yield saveset, one.path, one.stat(follow_symlinks=False)
                    except OSError:
                        continue
    except OSError:
        return
