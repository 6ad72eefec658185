"""What is configured as the rules want it, and the plan for days to come."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import cache
from typing import Any

from sesam.catalog import calendars, events, schedules, tasks
from sesam.errors import WrongUsage
from sesam.rules.decision import Verdict
from sesam.rules.plan import Planned, Setup, decided, plan
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
        newday=site.newday,
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
    for name in of_events:
        events.get_event(name)
    for name in of_tasks:
        tasks.get_task(name)
    setup = setup_of(site)
    for day in plan(setup, first, last):
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
