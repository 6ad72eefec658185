"""Claims on things that one process at a time may hold: a drive, a medium, a store.

A claim is a lease: thing, owner, fence, until when. Its row stays when it is given
back, so that the fence of a thing never comes twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sesam.catalog.db import Catalog
from sesam.catalog.jobs import LEASE_S, owner_of
from sesam.catalog.reaping import Judge
from sesam.catalog.tables import ClaimRow
from sesam.errors import Busy
from sesam.rules.records import Claim, Owner

_FREE = ""


def claim(catalog: Catalog, thing: str, owner: Owner, judge: Judge) -> Claim:
    """Take a thing, as `drive:LTO1`. Raises Busy while a living owner holds it."""
    gone = _gone(catalog, thing, owner, judge)
    now = catalog.now()
    lease_until = now + timedelta(seconds=LEASE_S)
    with catalog.change():
        # Makes the row, or locks it: two who come at once are put in order.
        ClaimRow.insert(
            thing=thing, worker=_FREE, fence=0, lease_until=now
        ).on_conflict(
            conflict_target=[ClaimRow.thing], update={ClaimRow.thing: thing}
        ).execute()
        row = ClaimRow.get_by_id(thing)
        holder = owner_of(row.worker)
        if holder and holder != owner and (row.worker, row.fence) != gone:
            raise Busy(
                f"{thing.replace(':', ' ')} is in use by process {holder.pid}"
                + ("" if holder.host == owner.host else " of another machine")
            )
        fence = row.fence + 1
        ClaimRow.update(worker=str(owner), fence=fence, lease_until=lease_until).where(
            ClaimRow.thing == thing
        ).execute()
    return Claim(thing, owner, fence, lease_until)


def renew(catalog: Catalog, held: Claim) -> bool:
    """Extend a claim; False when it has been lost."""
    lease_until = catalog.now() + timedelta(seconds=LEASE_S)
    with catalog.change():
        changed = ClaimRow.update(lease_until=lease_until).where(
            ClaimRow.thing == held.thing,
            ClaimRow.worker == str(held.owner),
            ClaimRow.fence == held.fence,
        )
        return bool(changed.execute())


def release(catalog: Catalog, held: Claim) -> None:
    """Give a thing back; one that was lost meanwhile is left alone."""
    with catalog.change():
        ClaimRow.update(worker=_FREE).where(
            ClaimRow.thing == held.thing,
            ClaimRow.worker == str(held.owner),
            ClaimRow.fence == held.fence,
        ).execute()


def is_held(catalog: Catalog, thing: str) -> bool:
    """Tell whether somebody holds a thing, by its lease alone."""
    row = ClaimRow.get_or_none(ClaimRow.thing == thing)
    return bool(row and row.worker and row.lease_until >= catalog.now())


@contextmanager
def holding(
    catalog: Catalog, thing: str, owner: Owner, judge: Judge
) -> Iterator[Claim]:
    """Hold a thing for the length of a block. Raises Busy."""
    held = claim(catalog, thing, owner, judge)
    try:
        yield held
    finally:
        release(catalog, held)


def _gone(
    catalog: Catalog, thing: str, owner: Owner, judge: Judge
) -> tuple[str, int] | None:
    """Return worker and fence of a holder that is gone, and has lost the thing."""
    row = ClaimRow.get_or_none(ClaimRow.thing == thing)
    if row is None:
        return None
    held_by = row.worker, row.fence
    holder = owner_of(row.worker)
    if holder is None or holder == owner:
        return None

    def lease_until() -> datetime | None:
        now = ClaimRow.get_by_id(thing)
        return now.lease_until if (now.worker, now.fence) == held_by else None

    if judge.keeps(catalog, holder, lease_until):
        return None
    return held_by
