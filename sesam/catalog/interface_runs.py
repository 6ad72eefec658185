"""Pre scripts that were started, and whose post script has not ended yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sesam.catalog.jobs import owner_of
from sesam.catalog.tables import InterfaceRunRow, JobRow
from sesam.rules.records import Owner
from sesam.terms import State


class OpenRun(NamedTuple):
    """pair -- `sbc` or `res`; pre_exit -- None = not known, or there was no pre.

    facts -- what both scripts are told; state, message -- how the job has ended
    process -- of the script that was started last, which may run on
    """

    job: int
    pair: str
    pre_exit: int | None
    facts: dict[str, Any]
    state: State
    message: str
    process: Owner | None


def begin(job_id: int, pair: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Record, before a pre script is started, that a post script is owed."""
    InterfaceRunRow.create(job=job_id, pair=pair, facts=dict(facts), began_at=now)


def note_pre(job_id: int, code: int) -> None:
    """The pre script has ended."""
    InterfaceRunRow.update(pre_exit=code).where(InterfaceRunRow.job == job_id).execute()


def note_process(job_id: int, process: Owner) -> None:
    """A script of the job has been started as this process."""
    InterfaceRunRow.update(process=str(process)).where(
        InterfaceRunRow.job == job_id
    ).execute()


def close(job_id: int) -> bool:
    """The post script has ended; False where that is known already."""
    gone = InterfaceRunRow.delete().where(InterfaceRunRow.job == job_id)
    return bool(gone.execute())


def owed() -> list[OpenRun]:
    """Return the runs of jobs that have ended without their post script."""
    final = [state.value for state in State if state.is_final]
    query = InterfaceRunRow.select(InterfaceRunRow, JobRow).join(JobRow)
    return [
        OpenRun(
            row.job.id,
            row.pair,
            row.pre_exit,
            row.facts,
            State(row.job.state),
            row.job.message,
            owner_of(row.process),
        )
        for row in query.where(JobRow.state.in_(final)).order_by(JobRow.id)
    ]
