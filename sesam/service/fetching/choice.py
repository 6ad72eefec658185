"""Which saveset a restore takes: by name, or the newest of a task at an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sesam.catalog import savesets, tasks
from sesam.client.objects import Existing
from sesam.errors import ChainBroken, NotFound, SesamError, WrongUsage
from sesam.rules.records import Saveset
from sesam.service.fetching.reading import StoredSaveset
from sesam.service.ground.site import Site


@dataclass(frozen=True, slots=True)
class Wish:
    """What an admin wants back, and where.

    saveset, or task with at (None = the newest); best -- take the newest that can be
    read where the newest cannot
    target -- directory; b"/" with `--original`
    paths  -- objects to restore with all below them; none = everything
    """

    target: bytes
    saveset: str = ""
    task: str = ""
    at: datetime | None = None
    best: bool = False
    paths: tuple[bytes, ...] = ()
    existing: Existing = Existing.KEEP
    numeric_owners: bool = False
    identities: tuple[str, ...] = ()
    dry_run: bool = False


def choose(site: Site, wish: Wish) -> Saveset:
    """Return the saveset to restore. Raises WrongUsage, NotFound, ChainBroken."""
    if bool(wish.saveset) == bool(wish.task):
        raise WrongUsage("name a saveset, or a task with --task")
    if wish.saveset:
        return savesets.get_saveset(wish.saveset)
    tasks.get_task(wish.task)
    until = wish.at
    tried = ""
    while True:
        found = savesets.newest_good(wish.task, until=until)
        if found is None:
            when = f" until {wish.at.isoformat(timespec='seconds')}" if wish.at else ""
            raise NotFound(
                f'task "{wish.task}" has no good saveset{when}'
                + (f" that can be read: {tried}" if tried else "")
            )
        problem = _unreadable(site, found, wish)
        if not problem:
            return found
        if not wish.best:
            raise ChainBroken(
                f'saveset "{found.name}" cannot be read: {problem}',
                hint="--best takes the newest that can",
            )
        tried = f"{found.name}: {problem}"
        until = found.started_at - timedelta(microseconds=1)


def _unreadable(site: Site, saveset: Saveset, wish: Wish) -> str:
    """Return why the parts of a saveset cannot all be opened, "" where they can."""
    try:
        with StoredSaveset(site, saveset, passphrase=lambda: "") as stored:
            facts = stored.manifest()
            for part in facts.parts:
                for piece in stored.of_part(part.name):
                    blob = stored.open_piece(piece)
                    size = blob.size
                    blob.close()
                    if size != piece.size_bytes:
                        return f"{part.name} has {size} bytes, not {piece.size_bytes}"
    except SesamError as error:
        return str(error)
    return ""
