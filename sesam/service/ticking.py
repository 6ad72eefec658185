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
    clockwatch.refuse_tick(site)
    now = site.clock()
    problems: list[str] = []
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
    older = 0
    for moment in missed:
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
    with site.catalog.change():
        if not events.move_on(name, since, next(later, None)):
            return  # another tick has taken it
        for row in rows:
            posting.post(site, event, row)
        if older:
            _post_older(site, event, schedule, kept[0], older, now)


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
    schedule: Schedule,
    before: datetime,
    count: int,
    now: datetime,
) -> None:
    """Add the one row that stands for all occurrences before the latest ones."""
    moment = before - _MOMENT
    sheet.post(
        SheetRow(
            *(event.name, event.type, event.object, event.group, event.schedule),
            *(site.backup_day(moment), moment, None, event.priority, event.blocking),
            *("", sheet.EXPIRED, f"expired: {count} occurrences before {now:%F}"),
            stands_for=count,
        )
    )
