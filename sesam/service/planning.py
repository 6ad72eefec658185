"""What is configured as the rules want it, and the plan for days to come."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import cache
from typing import Any

from sesam.catalog import calendars, events, schedules, sheet, tasks
from sesam.catalog.sheet import SheetRow
from sesam.errors import WrongUsage
from sesam.rules.decision import Verdict
from sesam.rules.event import Event
from sesam.rules.plan import Planned, Setup, decided, objects_of, plan
from sesam.service.ground.site import Site

KEYS = (
    "backup_day",
    "start_at",
    "event",
    "type",
    "object",
    "group",
    "schedule",
    "priority",
    "level",
    "state",
    "reason",
    "by",
    "job",
)
PLANNED, OFF = "planned", "off"


def setup_of(site: Site) -> Setup:
    """Return events, schedules, groups and calendars as they are now."""

    @cache
    def dates_of(name: str) -> tuple[date, ...]:
        return calendars.get_calendar(name).dates

    return Setup(
        events=events.list_events(),
        schedules={one.name: one for one in schedules.list_schedules()},
        groups={one.name: one.tasks for one in tasks.list_groups()},
        zone=site.zone,
        newdays=site.newdays,
        dates_of=dates_of,
    )


def simulate(
    site: Site,
    first: date,
    last: date,
    *,
    of_events: Collection[str] = (),
    of_tasks: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `sepuler simulate` for the backup days `first` to `last`.

    By the present configuration, whenever it was made; nothing is recorded.
    of_events, of_tasks -- rows of these alone; none = all. Raises WrongUsage, NotFound.
    """
    if last < first:
        raise WrongUsage(f"--until {last} lies before --from {first}")
    setup = setup_of(site)
    of_events, of_tasks = set(of_events), set(of_tasks)
    for name in of_events - {one.name for one in setup.events}:
        events.get_event(name)
    for name in of_tasks:
        tasks.get_task(name)
    for day in plan(setup, first, last, _equal_to(setup, of_events, of_tasks)):
        for one, decision in decided(setup, day):
            occurrence = one.occurrence
            if of_events and occurrence.event not in of_events:
                continue
            if of_tasks and occurrence.object not in of_tasks:
                continue
            if decision is None:
                yield _row(one, OFF, _why_off(setup, one))
            elif decision.verdict is Verdict.RUNS:
                yield _row(one, PLANNED)
            else:
                yield _row(one, decision.verdict.value, decision.reason, decision.by)


def _equal_to(
    setup: Setup, of_events: Collection[str], of_tasks: Collection[str]
) -> set[str]:
    """Return the events that decide about some, these among them; none = all."""
    if not of_events and not of_tasks:
        return set()
    keys: dict[str, set[tuple[str, str]]] = {
        event.name: {(event.type, one) for one in objects_of(event, setup.groups)}
        for event in setup.events
    }
    wanted = {
        key
        for name, all_ in keys.items()
        for key in all_
        if (not of_events or name in of_events) and (not of_tasks or key[1] in of_tasks)
    }
    # A name that no event has: where none is equal, none is planned.
    return {name for name, all_ in keys.items() if all_ & wanted} or {""}


def calendar(site: Site, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Yield the calendar sheet of some backup days: past as it was, future as planned.

    What has come due and waits for the next tick is planned still. Raises WrongUsage.
    """
    if last < first:
        raise WrongUsage(f"--until {last} lies before --from {first}")
    known = set()
    rows = []
    for row in sheet.between(first, last):
        known.add((row.event, row.object, row.start_at))
        rows.append(_recorded(row))
    begins = events.next_starts()
    for one in simulate(site, first, last):
        next_at = begins.get(one["event"])
        key = one["event"], one["object"], one["start_at"]
        if key not in known and next_at is not None and one["start_at"] >= next_at:
            rows.append(one)
    rows.sort(key=lambda one: (one["start_at"], one["event"] or "", one["object"]))
    yield from rows


def explain(site: Site, name: str, day: date) -> list[dict[str, Any]]:
    """Return the rows of one event on a backup day, each with a sentence `why`."""
    event = events.get_event(name)
    rows = [one for one in calendar(site, day, day) if one["event"] == name]
    if not rows:
        return [
            {
                **dict.fromkeys(KEYS),
                "backup_day": day,
                "event": name,
                "type": event.type.value,
                "why": _why_none(site, event),
            }
        ]
    return [{**one, "why": _why(site, one)} for one in rows]


def _why(site: Site, row: dict[str, Any]) -> str:
    at = row["start_at"].astimezone(site.zone)
    what = f'{row["event"]} for "{row["object"]}"'
    if row["state"] == PLANNED:
        return f"{what} starts at {at:%H:%M}: no equal event of its day is higher"
    if row["job"] is not None:
        more = f": {row['reason']}" if row["reason"] else ""
        return f"{what} started as job {row['job']}, which is {row['state']}{more}"
    return f"{what} at {at:%H:%M} is {row['reason'] or row['state']}"


def _why_none(site: Site, event: Event) -> str:
    if not event.schedule:
        follows = f" and follows {event.follow}" if event.follow else ""
        return f"{event.name} has no schedule{follows}: nothing is due by the calendar"
    return f'schedule "{event.schedule}" gives no start on that backup day'


def _recorded(row: SheetRow) -> dict[str, Any]:
    return {
        "backup_day": row.backup_day,
        "start_at": row.start_at,
        "event": row.event or None,
        "type": row.type.value,
        "object": row.object,
        "group": row.group or None,
        "schedule": row.schedule or None,
        "priority": row.priority,
        "level": row.level or None,
        "state": row.state,
        "reason": row.why or None,
        "by": row.by or None,
        "job": row.job,
    }


def _why_off(setup: Setup, one: Planned) -> str:
    schedule = setup.schedules[one.occurrence.schedule]
    what = "event" if schedule.enabled else f"schedule {schedule.name}"
    return f"off: the {what} is switched off"


def _row(one: Planned, state: str, reason: str = "", by: str = "") -> dict[str, Any]:
    occurrence = one.occurrence
    return {
        "backup_day": one.day,
        "start_at": occurrence.start_at,
        "event": occurrence.event,
        "type": occurrence.type.value,
        "object": occurrence.object,
        "group": one.group or None,
        "schedule": occurrence.schedule,
        "priority": occurrence.priority,
        "level": one.level or None,
        "state": state,
        "reason": reason or None,
        "by": by or None,
        "job": None,
    }
