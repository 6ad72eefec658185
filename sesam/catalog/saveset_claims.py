"""Savesets that are being written: claimed before their first byte, until commit."""

from datetime import datetime

from sesam.catalog.fields import literal
from sesam.catalog.tables import JobRow, SavesetClaimRow, TombstoneRow
from sesam.rules.records import Job
from sesam.terms import State


def claim_saveset(
    saveset: str, job: Job, media: tuple[str, ...], now: datetime
) -> None:
    """Record, before the first byte, that a job writes this saveset."""
    SavesetClaimRow.create(
        saveset=saveset, fence=job.fence, media=media, job=job.id, claimed_at=now
    )


def widen_claim(saveset: str, media: tuple[str, ...]) -> None:
    """The saveset goes on to further media."""
    SavesetClaimRow.update(media=media).where(
        SavesetClaimRow.saveset == saveset
    ).execute()


def close_claim(saveset: str) -> bool:
    """The saveset is committed, or nothing of it is left; False where it is closed.

    Of two who settle a saveset at once, one alone is told True.
    """
    gone = SavesetClaimRow.delete().where(SavesetClaimRow.saveset == saveset)
    return bool(gone.execute())


def dead_claims() -> list[tuple[str, tuple[str, ...], int]]:
    """Return (saveset, media, job) of claims whose job has ended without a commit."""
    final = [state.value for state in State if state.is_final]
    query = (
        SavesetClaimRow.select()
        .join(JobRow)
        .where(JobRow.state.in_(final))
        .order_by(SavesetClaimRow.saveset)
    )
    return [(row.saveset, row.media, row.job.id) for row in query]


def anything_to_remove() -> bool:
    """Tell whether something is forgotten whose bytes may not all be removed."""
    return bool(TombstoneRow.select().where(TombstoneRow.done == literal(0)).exists())
