"""Which saveset a restore takes: by name, or the newest of a task at an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sesam.catalog import savesets, tasks
from sesam.catalog.chains import chain_of
from sesam.catalog.savesets import pieces_of_all
from sesam.client.objects import Existing
from sesam.errors import ChainBroken, Damaged, DeviceError, NotFound, WrongUsage
from sesam.ports import PieceReader
from sesam.rules.level import incomplete
from sesam.rules.records import Saveset
from sesam.service.fetching.pieces import Readers
from sesam.service.fetching.rows import best_copy
from sesam.service.ground.site import Site
from sesam.terms import Piece


@dataclass(frozen=True, slots=True)
class Wish:
    """What an admin wants back, and where.

    saveset, or task with at (None = the newest); best -- take the newest that can be
    read where the newest cannot
    target -- directory; b"/" with `--original`
    paths  -- objects to restore with all below them; none = everything
    partial -- restore what can be read of a chain that cannot be read whole
    """

    target: bytes
    saveset: str = ""
    task: str = ""
    at: datetime | None = None
    best: bool = False
    partial: bool = False
    paths: tuple[bytes, ...] = ()
    existing: Existing = Existing.KEEP
    numeric_owners: bool = False
    identities: tuple[str, ...] = ()
    dry_run: bool = False


def choose(site: Site, wish: Wish) -> list[Saveset]:
    """Return the saveset to restore as the last of its chain, FULL first.

    Raises WrongUsage, NotFound; ChainBroken where the chain cannot be read whole.
    """
    if bool(wish.saveset) == bool(wish.task):
        raise WrongUsage("name a saveset, or a task with --task")
    if wish.saveset:
        return _named(site, wish)
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
        chain = chain_of(found.name)
        try:
            problem = unreadable(site, chain)
        except DeviceError as error:
            problem = str(error)
        if not problem:
            return chain
        if not wish.best:
            raise ChainBroken(
                f'saveset "{found.name}" cannot be read whole: {problem}',
                hint="--best takes the newest that can",
            )
        tried = f"{found.name}: {problem}"
        until = found.started_at - timedelta(microseconds=1)


def _named(site: Site, wish: Wish) -> list[Saveset]:
    chain = chain_of(savesets.get_saveset(wish.saveset).name)
    if not wish.partial and (problem := unreadable(site, chain)):
        raise ChainBroken(
            f'saveset "{wish.saveset}" cannot be read whole: {problem}',
            hint="--partial restores what can be read, and reports the rest",
        )
    return chain


def unreadable(site: Site, chain: Sequence[Saveset]) -> str:
    """Return what is missing of a chain, "" where all its parts can be opened.

    chain -- FULL first. Looks for every piece and its size, and reads none.
    Raises DeviceError where a store or drive cannot be used at all.
    """
    if gap := incomplete(chain):
        return gap
    readers = Readers(site)
    try:
        copies = [best_copy(saveset) for saveset in chain]
        pieces = pieces_of_all([copy.id for copy in copies])
        for saveset, copy in zip(chain, copies, strict=True):
            if problem := _missing_part(readers.of(copy), pieces[copy.id]):
                return f"{saveset.name}: {problem}"
    finally:
        readers.close()
    return ""


def _missing_part(reader: PieceReader, pieces: Sequence[Piece]) -> str:
    try:
        for piece in pieces:
            blob = reader.open_piece(piece)
            size = blob.size
            blob.close()
            if size != piece.size_bytes:
                return f"{piece.part} has {size} bytes, not {piece.size_bytes}"
    except (NotFound, Damaged) as error:
        return str(error)
    return ""
