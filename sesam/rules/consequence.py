"""What follows from how a job of an event ended: a retry, and follow-ups."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sesam.rules.event import ON_OK, Event
from sesam.terms import State

# An occurrence whose suppressor ended so is decided once more, where it falls back.
CAME_TO_NOTHING = ("error", "cancelled", "expired")


@dataclass(frozen=True, slots=True)
class Retry:
    """not_before -- when its job is queued again, None = it is not; why in words."""

    not_before: datetime | None
    why: str = ""


def retry(
    event: Event, attempt: int, ended_at: datetime, closes_at: datetime | None
) -> Retry:
    """Return whether the job of an occurrence that ended as `error` is done again.

    attempt -- how often it was already; closes_at -- end of its start window

    >>> from datetime import UTC
    >>> from sesam.rules.decision import EventType
    >>> event = Event("e", EventType.BACKUP, retries=1, retry_after=30)
    >>> ended = datetime(2027, 3, 28, 20, tzinfo=UTC)
    >>> retry(event, 0, ended, None).not_before.isoformat()
    '2027-03-28T20:30:00+00:00'
    >>> retry(event, 1, ended, None)
    Retry(not_before=None, why='no retry: 1 of 1 made')
    >>> retry(event, 0, ended, ended)
    Retry(not_before=None, why='no retry: its life time ends before it')
    """
    if not event.retries:
        return Retry(None)
    if attempt >= event.retries:
        return Retry(None, f"no retry: {attempt} of {event.retries} made")
    not_before = ended_at + timedelta(minutes=event.retry_after)
    if closes_at is not None and not_before > closes_at:
        return Retry(None, "no retry: its life time ends before it")
    return Retry(not_before, f"retry {attempt + 1} of {event.retries}")


def is_followed(follower: Event, state: str) -> bool:
    """Tell whether a follow-up starts after a job that ended in a state."""
    if state == State.WARNING.value:
        return follower.follow_on != ON_OK
    return state == State.OK.value
