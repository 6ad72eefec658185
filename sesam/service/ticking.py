"""The tick: what is due is decided, written into the sheet, and its jobs are queued.

Each event that is due is one transaction, and of two ticks one alone takes it: whoever
moves its next occurrence on.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sesam.catalog import events, notices, sheet
from sesam.catalog import site as settings
from sesam.catalog.sheet import SheetRow
from sesam.errors import SesamError
from sesam.rules.decision import Occurrence, Verdict, decide
from sesam.rules.event import Event
from sesam.rules.plan import Planned, Setup, objects_of, plan
from sesam.rules.recurrence import starts
from sesam.rules.schedule import Schedule
from sesam.service import clockwatch, closing, repair, spawning, starting, watching
from sesam.service.ground.site import Site
from sesam.service.planning import setup_of
from sesam.terms import State

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
        for name, since in due:
            try:
                _event(site, setup, name, since, now)
            except SesamError as error:
                problems.append(f'event "{name}": {error}')
    repair.settle(site)
    problems += spawning.spawn_waiting(site)
    try:
        with site.catalog.change():
            settings.put(settings.TICKED, now.isoformat())
        closing.finalise(site)
        watching.watch(site)
    except SesamError as error:
        problems.append(str(error))
    return problems


def _event(site: Site, setup: Setup, name: str, since: datetime, now: datetime) -> None:
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
        for row in _of_object(site, setup, event, schedule, one, list(kept), now)
    ]
    with site.catalog.change():
        if not events.move_on(name, since, next(later, None)):
            return  # another tick has taken it
        for row in rows:
            _post(site, event, row)
        if older:
            _post_older(site, event, schedule, kept[0], older, now)


def _of_object(
    site: Site,
    setup: Setup,
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
            yield _decided(setup, row, now)


def _decided(setup: Setup, row: SheetRow, now: datetime) -> SheetRow:
    """Return the row as priority and blocking have it."""
    own = row.occurrence()
    day = [
        *(
            one.occurrence()
            for one in sheet.of_day(row.backup_day, [own.key])
            # What was off, or started by hand, suppresses nothing.
            if one.schedule and one.state != sheet.OFF
        ),
        *_still_to_come(setup, row, now),
    ]
    found = decide(own, [one for one in day if one.event != row.event], setup.zone)
    if found.verdict is Verdict.RUNS:
        return row
    return row._replace(state=found.verdict.value, reason=found.reason, by=found.by)


def _still_to_come(setup: Setup, row: SheetRow, now: datetime) -> list[Occurrence]:
    """Return the equal occurrences of the row's day that are not in the sheet yet."""
    equal = [
        one
        for one in setup.events
        if one.type is row.type and row.object in objects_of(one, setup.groups)
    ]
    own = replace(setup, events=equal)
    found: list[Planned] = []
    for day in plan(own, row.backup_day, row.backup_day):
        found += [one for one in day if not one.off]
    known = {
        (one.event, one.start_at)
        for one in sheet.of_day(row.backup_day, [(row.type, row.object)])
    }
    since = {
        one.name: (one.since, setup.schedules[one.schedule].since)
        for one in equal
        if one.schedule in setup.schedules
    }
    return [
        one.occurrence
        for one in found
        if one.occurrence.object == row.object
        and (one.occurrence.event, one.occurrence.start_at) not in known
        and not any(
            begin and one.occurrence.start_at < begin
            for begin in since[one.occurrence.event]
        )
    ]


def _post(site: Site, event: Event, row: SheetRow) -> None:
    """Add a row, and the job of one that runs; within the event's transaction."""
    if row.state != sheet.PLANNED:
        sheet.post(row)
        if row.state == Verdict.BLOCKING.value:
            notices.blocking(row.event, row.backup_day, row.reason, site.clock())
        return
    if row.object in sheet.queued_objects(row.event):
        sheet.post(
            row._replace(
                state=sheet.SKIPPED,
                reason="skipped: the one before it is still in the queue",
            )
        )
        return
    try:
        told = starting.told(site, event, row.object)
    except SesamError as error:
        sheet.post(row._replace(state=State.ERROR.value, reason=f"error: {error}"))
        return
    # The row first: where a clock went back it is there, and nothing starts twice.
    if sheet.post(row._replace(state=State.QUEUED.value)):
        job = spawning.enqueue(
            told,
            day=row.backup_day,
            now=site.clock(),
            priority=row.priority,
            closes_at=row.closes_at,
        )
        sheet.link(row, job.id)


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
