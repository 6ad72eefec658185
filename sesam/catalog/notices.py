"""Notices: what scripts of the admin are to be told, kept until they have been.

A notice is written in the transaction of what it tells of: none is lost, none told of
what never was.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from peewee import IntegrityError

from sesam.catalog import site
from sesam.catalog.tables import NoticeRow, database
from sesam.rules.naming import SITE_TASK
from sesam.terms import State

NOTIFY, ALARM, DISASTER, NEWDAY = "sm_notify", "sm_alarm", "sm_disaster", "sm_newday"
JOB, BLOCKING, SELF_BACKUP, SUMMARY = "job", "blocking", "self-backup", "summary"


class Notice(NamedTuple):
    """interface -- the script that is told; subject -- of it, one line.

    tries -- how often it was tried so far
    """

    id: int
    interface: str
    kind: str
    object: str
    subject: str
    facts: dict[str, Any]
    posted_at: datetime
    tries: int


def post(
    interface: str,
    kind: str,
    name: str,
    subject: str,
    *,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
    once: str = "",
) -> bool:
    """Add a notice; to be called within `change`. False for one that `once` names."""
    try:
        with database.atomic():
            NoticeRow.create(
                interface=interface,
                kind=kind,
                object=name,
                subject=subject,
                facts=dict(facts or {}),
                once=once,
                posted_at=now,
                due_at=now,
                tries=0,
                message="",
            )
    except IntegrityError:
        return False
    return True


def job_ended(job: Any, state: State, now: datetime) -> None:
    """A job ends: it is told of where the site wants that, within its transaction.

    job -- its row
    """
    what = f"{job.type} of {job.object}"
    if state.value in site.settings().notify_on:
        subject = f"{what} ended as {state.value}"
        post(NOTIFY, JOB, job.object, subject, now=now, facts={"job": job.id})
    if job.type == "backup" and job.object == SITE_TASK and state.is_good:
        subject = "the site has been saved: how to bring it back"
        post(DISASTER, SELF_BACKUP, job.object, subject, now=now, facts={"job": job.id})


def blocking(event: str, day: date, reason: str, now: datetime) -> None:
    """A blocking event has become active: told once a backup day, within `change`."""
    facts = {"backup_day": day.isoformat(), "state": BLOCKING, "text": reason}
    subject = f"blocking event {event} is active on {day}"
    once = f"{BLOCKING}:{event}:{day}"
    post(NOTIFY, BLOCKING, event, subject, now=now, facts=facts, once=once)


def due(now: datetime) -> list[Notice]:
    """Return the notices that are to be told now, oldest first."""
    rows = NoticeRow.select().where(NoticeRow.due_at <= now).order_by(NoticeRow.id)
    return [
        Notice(
            row.id,
            row.interface,
            row.kind,
            row.object,
            row.subject,
            row.facts,
            row.posted_at,
            row.tries,
        )
        for row in rows
    ]


def is_due(now: datetime) -> bool:
    """Tell whether a notice is to be told now."""
    return bool(NoticeRow.select().where(NoticeRow.due_at <= now).exists())


def told(number: int, now: datetime) -> None:
    """A script has been told."""
    _changed(number, due_at=None, sent_at=now, message="")


def not_told(number: int, why: str, again_at: datetime | None) -> None:
    """A script could not be told; again_at -- None = it is given up."""
    _changed(number, due_at=again_at, message=why)


def failing() -> int:
    """Return how many notices were tried in vain so far."""
    found = NoticeRow.select().where(NoticeRow.due_at.is_null(False))
    return int(found.where(NoticeRow.tries > 0).count())


def _changed(number: int, **values: Any) -> None:
    changed = NoticeRow.update(tries=NoticeRow.tries + 1, **values)
    changed.where(NoticeRow.id == number).execute()
