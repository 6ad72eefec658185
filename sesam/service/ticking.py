"""The tick: what is due is decided, written into the sheet, and its jobs are queued.

Each event that is due is one transaction, and of two ticks one alone takes it: whoever
moves its next occurrence on.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sesam.catalog import events, sheet
from sesam.catalog.sheet import SheetRow
from sesam.errors import SesamError
from sesam.rules.event import Event
from sesam.rules.plan import Setup, objects_of
from sesam.rules.recurrence import starts
from sesam.rules.schedule import Schedule
from sesam.service import aftermath, clockwatch, posting, repair, spawning
from sesam.service.deciding import Deciding
from sesam.service.ground.site import Site
from sesam.service.planning import setup_of

# Missed occurrences of an event and object that have rows of their own.
_ROWS = 1000
_EVER = timedelta(days=366 * 100)
_MOMENT = timedelta(microseconds=1)


def tick(site: Site) -> list[str]:
    """Decide what is due, start what can be started; return what went wrong.

    One bad event stops no other. Raises Protected under the wrong kind of clock.
    """
    now, problems = clockwatch.ticked(site)
    due = events.due(now)
    if due:
        setup = setup_of(site)
        deciding = Deciding(setup)
        for name, since in due:
            try:
                _event(site, setup, deciding, name, since, now)
            except SesamError as error:
                problems.append(f'event "{name}": {error}')
    repair.settle(site)
    problems += aftermath.see_to(site)
    problems += spawning.spawn_waiting(site)
    return problems


def _event(
    site: Site,
    setup: Setup,
    deciding: Deciding,
    name: str,
    since: datetime,
    now: datetime,
) -> None:
    """Write the occurrences of one event from `since` to `now` into the sheet."""
    event = events.get_event(name)
    schedule = setup.schedules.get(event.schedule)
    if schedule is None:
        with site.catalog.change():
            events.move_on(name, since, None)
        return
    begin = max([since, *(one for one in (event.since, schedule.since) if one)])
    missed = starts(schedule, site.zone, begin, now + _MOMENT, setup.dates_of)
    kept: deque[datetime] = deque(maxlen=_ROWS)
    first, older = None, 0
    for moment in missed:
        first = first or moment
        older += len(kept) == _ROWS
        kept.append(moment)
    later = starts(
        schedule, site.zone, max(begin, now + _MOMENT), now + _EVER, setup.dates_of
    )
    rows = [
        row
        for one in objects_of(event, setup.groups)
        for row in _of_object(site, deciding, event, schedule, one, list(kept), now)
    ]
    if older and first:
        rows += _older(site, event, setup, (first, kept[0]), older, now)
    with site.catalog.change():
        if not events.move_on(name, since, next(later, None)):
            return  # another tick has taken it
        for row in rows:
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


def _older(
    site: Site,
    event: Event,
    setup: Setup,
    span: tuple[datetime, datetime],
    count: int,
    now: datetime,
) -> Iterable[SheetRow]:
    """Yield the one row of each object that stands for all before the latest ones.

    span -- from the first of them to before the end; what has a row is not counted
    """
    first, end = span
    moment = end - _MOMENT
    for name in objects_of(event, setup.groups):
        left = count - sheet.count_of(event.name, name, first, end)
        if left:
            yield SheetRow(
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
