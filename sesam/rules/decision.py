"""Which of the equal occurrences of a backup day run: priority decides, and blocking.

Two occurrences are equal where their events have the same type and the same key: task
or command, drive or drive group. Source: the manual of SEP sesam, "Event priorities"
and "Blocking events".
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo


class EventType(StrEnum):
    """What an event does."""

    BACKUP = "backup"
    MIGRATION = "migration"
    REPLICATION = "replication"
    RESTORE = "restore"
    MEDIA = "media"
    COMMAND = "command"
    NEWDAY = "newday"


class Verdict(StrEnum):
    """What becomes of an occurrence that is due; but for RUNS as the sheet has it."""

    RUNS = "runs"
    SUPPRESSED = "suppressed"
    BLOCKED = "blocked"
    BLOCKING = "blocking"


class Occurrence(NamedTuple):
    """One start of an event for one object.

    event    -- its name; schedule -- "" = none
    object   -- task, command, drive or drive group: with the type the key of equality
    priority -- 0..99; 0 is never compared
    start_at -- planned, aware
    past     -- it is in the sheet already, whatever became of it
    """

    event: str
    type: EventType
    object: str
    schedule: str
    start_at: datetime
    priority: int = 1
    blocking: bool = False
    past: bool = False

    @property
    def key(self) -> tuple[EventType, str]:
        return self.type, self.object


@dataclass(frozen=True, slots=True)
class Decision:
    """by, by_at -- the event that suppresses or blocks, "" = none, and its start.

    reason -- for the admin
    """

    verdict: Verdict
    by: str = ""
    reason: str = ""
    by_at: datetime | None = field(default=None, compare=False)


def decide(
    due: Occurrence,
    day: Iterable[Occurrence],
    zone: ZoneInfo,
    *,
    without: Collection[str] = (),
) -> Decision:
    """Return what becomes of an occurrence that is due.

    day -- the occurrences of its backup day, past and still to come, of events and
    schedules that are switched on; those that are not equal do no harm
    without -- events that are left out, because theirs came to nothing (fallback)
    """
    higher = [
        one
        for one in day
        if due.priority
        and one.priority > due.priority
        and one.key == due.key
        and one.event not in without
    ]
    if higher:
        return _outranked(max(higher, key=_rank), zone)
    if due.blocking:
        return Decision(Verdict.BLOCKING, reason="blocks equal events of its day")
    return Decision(Verdict.RUNS)


def _rank(one: Occurrence) -> tuple[int, bool, float, str]:
    # Only the highest matters: of several a blocking one, then the earliest.
    return one.priority, one.blocking, -one.start_at.timestamp(), one.event


def _outranked(by: Occurrence, zone: ZoneInfo) -> Decision:
    at = f"{by.start_at.astimezone(zone):%H:%M}"
    when = "was" if by.past else "is"
    what = f"{by.event}, priority {by.priority}, {when} planned for {at}"
    if by.blocking:
        why = f"blocked: {what} the same backup day"
        return Decision(Verdict.BLOCKED, by.event, why, by.start_at)
    why = f"suppressed: {what} the same backup day"
    return Decision(Verdict.SUPPRESSED, by.event, why, by.start_at)
