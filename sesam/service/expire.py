"""Deleting copies: what a backup day lets go, and carrying out such a plan.

For each copy the catalog forgets first, leaving a tombstone; then its bytes go, the
manifest before all others; then the tombstone is closed. What is killed on the way is
finished by the next command.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sesam.catalog import drives, jobs, savesets, tasks
from sesam.catalog import retention as catalog
from sesam.device.directory import DirectoryStore
from sesam.errors import ForeignSite, Interrupted, Protected, SesamError
from sesam.rules.retention import Holding, Verdict, expiry
from sesam.service import erasing
from sesam.service.ground.audit import record
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.site import Site
from sesam.terms import CopyState

KEPT, PLANNED, REMOVED = "kept", "planned", "removed"
# On tape: the medium is written anew one day. In an absent store: when that is back.
FORGOTTEN, WAITING, GONE = "forgotten", "waiting", "gone"
# What leaves something for later, or for an admin.
UNDONE = frozenset({KEPT, WAITING})
_READERS = ("restore", "verify")


@dataclass(slots=True)
class Outcome:
    """What became of one line of a plan."""

    verdict: Verdict
    state: str
    stone: int = 0

    def row(self) -> dict[str, Any]:
        """Return it as a row: saveset, pool, media, reason and more."""
        return {**row_of(self.verdict), "state": self.state}


@dataclass(frozen=True, slots=True)
class Orders:
    """How a plan is carried out.

    say -- takes the lines of a log
    heartbeat -- of the job, which may be told to stop
    expired_on -- backup day on which each copy must still be expired
    """

    say: Callable[[str], object]
    heartbeat: Heartbeat
    expired_on: date | None = None

    def check(self) -> None:
        """Raise Interrupted where the job is told to stop, Busy where it is lost."""
        self.heartbeat.check()
        if self.heartbeat.stopped():
            raise Interrupted("stopped", signal=self.heartbeat.signal)


def plan(
    site: Site, backup_day: date, found: Mapping[int, CopyState] | None = None
) -> list[Verdict]:
    """Judge every copy whose EOL is before `backup_day`; change nothing.

    found -- states of copies that are known better than the catalog does yet
    """
    return expiry(
        [_with_states(one, found or {}) for one in catalog.holdings()],
        backup_day=backup_day,
        tasks=frozenset(one.name for one in tasks.list_tasks()),
        busy=in_use(),
        fixed=_fixed(site),
    )


def paused(verdicts: Iterable[Verdict], why: str) -> list[Verdict]:
    """Return the plan while deletions are paused: everything is kept."""
    reason = f"deletions are paused: {why}"
    return [
        replace(one, delete=False, reason=reason) if one.delete else one
        for one in verdicts
    ]


def carry_out(site: Site, verdicts: Iterable[Verdict], orders: Orders) -> list[Outcome]:
    """Delete what the plan says; return what became of each line of it.

    Raises Interrupted between two copies when it is told to stop, Busy when the job is
    lost: what has been deleted by then is.
    """
    eraser = erasing.Eraser(site)
    outcomes = []
    for one in verdicts:
        if not one.delete:
            outcomes.append(Outcome(one, KEPT))
            continue
        orders.check()
        outcomes.append(_delete(site, one, eraser, orders))
    _finish_afar(site, outcomes, orders)
    return outcomes


def row_of(one: Verdict) -> dict[str, Any]:
    """Return a line of a plan as a row."""
    return {
        "saveset": one.saveset.name,
        "task": one.saveset.task,
        "level": one.saveset.level.value,
        "pool": one.copy.pool,
        "media": list(one.copy.media),
        "eol": one.copy.eol,
        "bytes": one.saveset.stored_bytes,
        "reason": one.reason,
    }


def in_use() -> dict[str, str]:
    """Return the savesets that jobs read now, and by which.

    A verify of all savesets, or of a task's, keeps none: it passes over what has gone.
    """
    return {
        name: f"is being read by job {job.id}"
        for job in jobs.active_jobs()
        if job.type in _READERS
        for name in job.object.split()
    }


def _delete(
    site: Site, one: Verdict, eraser: erasing.Eraser, orders: Orders
) -> Outcome:
    name, media = one.saveset.name, ", ".join(one.copy.media)
    what = f"{name} in {media}"
    now = site.clock()
    try:
        with site.catalog.change():
            gone = catalog.forget_copy(
                one.copy.id,
                reason=one.reason,
                now=now,
                expired_on=orders.expired_on,
            )
            if gone is not None:
                detail = f"{media}: {one.reason}"
                record(site, "delete copy", name, detail)
    except Protected as error:
        orders.say(f"{what} is kept: {error}")
        return Outcome(replace(one, delete=False, reason=str(error)), KEPT)
    if gone is None:
        return Outcome(one, GONE)
    if gone.last:
        with contextlib.suppress(OSError):
            os.unlink(site.listing_path(name))
    if not gone.waiting:
        state = FORGOTTEN
    else:
        done = eraser.erase(gone.stone, name, one.copy.media)
        state = REMOVED if done else WAITING
    orders.say(f"{what} is {state}: {one.reason}")
    return Outcome(one, state, gone.stone)


def _finish_afar(site: Site, outcomes: list[Outcome], orders: Orders) -> None:
    """Remove what lies on other machines, all of it at once."""
    for problem in erasing.finish_afar(site):
        orders.say(f"warning: {problem}")
    waiting = [one for one in outcomes if one.state == WAITING]
    still_open = {number for number, _, _ in savesets.open_tombstones()}
    for one in waiting:
        if one.stone not in still_open:
            one.state = REMOVED
        else:
            media = ", ".join(one.verdict.copy.media)
            orders.say(f"warning: {media}: {one.verdict.saveset.name} waits for it")


def _with_states(one: Holding, found: Mapping[int, CopyState]) -> Holding:
    if not any(copy.id in found for copy in one.copies):
        return one
    copies = (
        copy._replace(state=found.get(copy.id, copy.state)) for copy in one.copies
    )
    return one._replace(copies=tuple(copies))


def _fixed(site: Site) -> dict[str, str]:
    """Return the media that nothing is deleted from, and why."""
    found = dict.fromkeys(catalog.protected_media(), "is write-protected")
    for store in drives.list_stores():
        if store.rds:
            continue
        try:
            DirectoryStore(store.name, store.path, site.id)
        except ForeignSite:
            found[store.name] = "belongs to another site"
        except SesamError:
            continue  # it is absent: its tombstones wait for it
    return found
