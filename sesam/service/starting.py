"""From an event to the jobs it starts, one for each object."""

import os

from sesam.catalog import sheet, tasks
from sesam.catalog.sheet import SheetRow
from sesam.errors import RequestError, WrongUsage
from sesam.rules.decision import EventType
from sesam.rules.event import NEWDAY, Event
from sesam.rules.plan import objects_of
from sesam.rules.records import Job, Waits
from sesam.service import asking, commands, spawning
from sesam.service.fetching.choice import Wish
from sesam.service.fetching.told import told_of
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site
from sesam.service.spawning import Told
from sesam.terms import State

_LATER = (EventType.MIGRATION, EventType.REPLICATION, EventType.MEDIA)


def start_now(site: Site, event: Event) -> list[Job]:
    """Start an event by hand, in workers; return its jobs, queued.

    Raises WrongUsage for what never runs, RequestError for what cannot be done yet.
    """
    if event.blocking:
        raise WrongUsage(f'event "{event.name}" is blocking: it never runs')
    group = {event.group: tasks.get_group(event.group).tasks} if event.group else {}
    found = objects_of(event, group)
    if not found:
        raise RequestError(f'task group "{event.group}" has no task')
    orders = [told(site, event, name) for name in found]
    now = site.clock()
    day, level = site.backup_day(now), event.level.value if event.level else ""
    queued = []
    with site.catalog.change():
        for name, one in zip(found, orders, strict=True):
            job = spawning.enqueue(
                one, day=day, now=now, priority=event.priority, waits=Waits()
            )
            sheet.post_start(
                SheetRow(
                    *(event.name, event.type, name, event.group, "", day, now, None),
                    *(event.priority, False, level, State.QUEUED.value),
                    job=job.id,
                    unseen=True,
                )
            )
            queued.append(job)
            record(site, "run event", event.name, f"{job.type} of {name}: job {job.id}")
    for problem in spawning.spawn_waiting(site):
        raise RequestError(problem)
    return queued


def told(site: Site, event: Event, name: str) -> Told:
    """Return the job that an event is, for one object. Raises RequestError, NotFound.

    Looks at the catalog and at programs, and at no medium.
    """
    if event.type in _LATER:
        raise RequestError(
            f'event "{event.name}": {event.type} is not available yet in this release'
        )
    if event.type is EventType.BACKUP:
        request = asking.Request(name, event.level, event.pool)
        return Told("backup", name, asking.told_of(request))
    if event.type is EventType.RESTORE:
        wish = Wish(target=os.fsencode(event.target), task=name)
        return Told("restore", name, {**told_of(wish), "newest": True})
    if event.type is EventType.COMMAND:
        commands.program(site, event.command)
        return Told(commands.TYPE, event.command, commands.told_of(event))
    return Told("newday", NEWDAY, {"confirm": False})
