"""Ending the jobs whose worker is gone, and telling who is gone.

On its own machine an owner keeps what it holds as long as it lives and renews its
lease: one that has not for HANGING lease times hangs, and is killed before anything is
taken from it. On another machine the lease alone decides.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sesam.catalog import notices, sheet
from sesam.catalog.db import Catalog
from sesam.catalog.jobs import CANCELLED, LEASE_S, active_jobs, mine, owner_of
from sesam.catalog.tables import JobRow
from sesam.rules.records import Job, Owner
from sesam.terms import State

HANGING = 10
# A job whose worker did not live to end it: as of a command that SIGKILL ends.
KILLED = 137
# A machine that slept, or whose clock was set forward, renews its leases at its next
# beat: an owner counts as hanging when its lease stays as old for longer than that.
PATIENCE_S = LEASE_S / 4 + 5

IsAlive = Callable[[Owner], bool | None]
LeaseUntil = Callable[[], datetime | None]


@dataclass(frozen=True, slots=True)
class Judge:
    """How owners are judged.

    is_alive -- None for an owner on another machine
    kill     -- ends an owner of this machine for good; False where it could not
    """

    is_alive: IsAlive
    kill: Callable[[Owner], bool] = lambda owner: False
    patience_s: float = PATIENCE_S

    def keeps(self, catalog: Catalog, owner: Owner, lease_until: LeaseUntil) -> bool:
        """Tell whether an owner keeps what it holds; to be asked outside of `change`.

        lease_until -- asks the catalog; None = it holds the thing no more
        """
        alive = self.is_alive(owner)
        if alive is None:
            until = lease_until()
            return until is not None and until >= catalog.now()
        if not alive:
            return False
        if not _hangs(catalog, lease_until()):
            return True
        time.sleep(self.patience_s)
        return not (_hangs(catalog, lease_until()) and self.kill(owner))


def reap(catalog: Catalog, judge: Judge, now: datetime) -> list[Job]:
    """End the jobs whose worker is gone; return them as they were.

    One that was told to stop ends as `cancelled`, any other one as `error`.
    """
    found = []
    for job in active_jobs():
        owner = owner_of(job.worker)
        if owner and judge.keeps(catalog, owner, lambda job=job: _lease(job)):  # type: ignore[misc]
            continue
        with catalog.change():
            row = JobRow.get_by_id(job.id)
            told = row.told_to_stop
            done = (
                JobRow.update(
                    state=(State.CANCELLED if told else State.ERROR).value,
                    ended_at=now,
                    message="cancelled; its worker is gone"
                    if told
                    else "its worker is gone",
                    exit_code=CANCELLED if told else KILLED,
                    lease_until=None,
                )
                .where(*mine(job))
                .execute()
            )
            if done:
                state = State.CANCELLED if told else State.ERROR
                sheet.note_job(job.id, state, "its worker is gone")
                notices.job_ended(job, state, now)
        if done:
            found.append(job)
    return found


def _lease(job: Job) -> datetime | None:
    row = JobRow.get_or_none(*mine(job))
    return row.lease_until if row else None


def _hangs(catalog: Catalog, until: datetime | None) -> bool:
    """Tell whether a lease was not renewed for HANGING lease times."""
    late = timedelta(seconds=(HANGING - 1) * LEASE_S)
    return until is not None and until + late < catalog.now()
