"""What is due is decided and written into the sheet, and its jobs are queued.

Each event that is due is written whole or not at all, and of two ticks one alone takes
it: whoever moves its next occurrence on.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sesam.catalog import events, sheet
from sesam.catalog.sheet import SheetRow
from sesam.errors import SesamError
from sesam.rules.event import Event
from sesam.rules.plan import objects_of
from sesam.rules.schedule import Schedule
from sesam.service import posting
from sesam.service.deciding import Deciding
from sesam.service.ground.site import Site
from sesam.service.planning import setup_of

# Missed occurrences of an event and object that have rows of their own.
_ROWS = 1000
# Events that are written in one transaction: short still, and synced once.
_TOGETHER = 50
_EVER = timedelta(days=366 * 100)
_MOMENT = timedelta(microseconds=1)


def decide(site: Site, due: Sequence[tuple[str, datetime]], now: datetime) -> list[str]:
    """Decide what is due, some events in a transaction; return what went wrong."""
    problems: list[str] = []
    deciding = Deciding(setup_of(site))
    for first in range(0, len(due), _TOGETHER):
        some = due[first : first + _TOGETHER]
        try:
            with site.catalog.change():
                for name, since in some:
                    try:
                        with site.catalog.change():
                            _event(site, deciding, name, since, now)
                    except SesamError as error:
                        problems.append(f'event "{name}": {error}')
        except SesamError as error:
            problems.append(f"{len(some)} events are decided later: {error}")
    return problems


def _event(
    site: Site, deciding: Deciding, name: str, since: datetime, now: datetime
) -> None:
    """Write the occurrences of one event from `since` to `now` into the sheet."""
    setup, event = deciding.setup, deciding.events.get(name)
    if event is None:
        return  # added just now: the next tick knows it
    schedule = setup.schedules.get(event.schedule)
    if schedule is None:
        events.move_on(name, since, None)
        return
    begin = max([since, *(one for one in (event.since, schedule.since) if one)])
    missed = setup.starts(schedule, begin, now + _MOMENT)
    kept: deque[datetime] = deque(maxlen=_ROWS)
    first, older = None, 0
    for moment in missed:
        first = first or moment
        older += len(kept) == _ROWS
        kept.append(moment)
    after = max(begin, now + _MOMENT)
    later = setup.starts(schedule, after, now + _EVER)
    if not events.move_on(name, since, next(later, None)):
        return  # another tick has taken it
    for one in objects_of(event, setup.groups):
        if older and first:
            _post_older(site, event, one, (first, kept[0]), older, now)
        for row in _of_object(site, deciding, event, schedule, one, list(kept), now):
            posting.post(site, event, row)


def _of_object(
    site: Site,
    deciding: Deciding,
    event: Event,
    schedule: Schedule,
    name: str,
    moments: Sequence[datetime],
    now: datetime,
) -> Iterable[SheetRow]:
    """Yield the rows of one object: of several open occurrences the latest starts."""
    life = timedelta(minutes=schedule.life_time)
    for number, moment in enumerate(moments, 1):
        day = site.backup_day(moment)
        level = event.level.value if event.level else ""
        row = SheetRow(
            *(event.name, event.type, name, event.group, event.schedule, day, moment),
            *(moment + life, event.priority, event.blocking, level, sheet.PLANNED),
        )
        if not (event.enabled and schedule.enabled):
            what = "event" if schedule.enabled else f'schedule "{schedule.name}"'
            yield row._replace(
                state=sheet.OFF, reason=f"off: the {what} is switched off"
            )
        elif moment + life < now:
            yield row._replace(
                state=sheet.EXPIRED,
                reason=f"expired: nothing ticked within {schedule.life_time} minutes",
            )
        elif number < len(moments):
            yield row._replace(
                state=sheet.SKIPPED, reason="skipped: a later one has come due as well"
            )
        else:
            yield deciding.row(row)


def _post_older(
    site: Site,
    event: Event,
    name: str,
    span: tuple[datetime, datetime],
    count: int,
    now: datetime,
) -> None:
    """Add the one row of an object that stands for all before the latest ones.

    span -- from the first of them to before the end; what has a row is not counted
    """
    first, end = span
    moment = end - _MOMENT
    left = count - sheet.count_of(event.name, name, first, end)
    if not left:
        return
    row = SheetRow(
        *(event.name, event.type, name, event.group, event.schedule),
        backup_day=site.backup_day(moment),
        start_at=moment,
        closes_at=None,
        priority=event.priority,
        blocking=event.blocking,
        level="",
        state=sheet.EXPIRED,
        reason=f"expired: {left} occurrences before {now:%F}",
        stands_for=left,
        first_at=first,
    )
    sheet.post(row)
