"""From an event to the jobs it starts, one for each object."""

import os
from collections.abc import Sequence

from sesam.catalog import tasks
from sesam.errors import RequestError, WrongUsage
from sesam.rules.decision import EventType
from sesam.rules.event import Event
from sesam.rules.records import Job
from sesam.service import asking, commands, jobs, restore, working
from sesam.service.fetching.choice import Wish
from sesam.service.ground.site import Site

_LATER = (EventType.MIGRATION, EventType.REPLICATION, EventType.MEDIA)


def objects_of(event: Event) -> Sequence[str]:
    """Return what an event is for at this moment: the members of a group, one each."""
    return tasks.get_group(event.group).tasks if event.group else (event.object,)


def start_now(site: Site, event: Event) -> list[Job]:
    """Start an event by hand, in workers; return its jobs, queued.

    Raises WrongUsage for what never runs, RequestError for what cannot be done yet.
    """
    if event.blocking:
        raise WrongUsage(f'event "{event.name}" is blocking: it never runs')
    found = objects_of(event)
    if not found:
        raise RequestError(f'task group "{event.group}" has no task')
    queued = [queue(site, event, name) for name in found]
    for job in queued:
        jobs.detach(site, job)
    return queued


def queue(site: Site, event: Event, name: str) -> Job:
    """Add the job of an event for one object. Raises what its service refuses."""
    if event.type in _LATER:
        raise RequestError(
            f'event "{event.name}": {event.type} is not available yet in this release'
        )
    if event.type is EventType.BACKUP:
        return asking.queue(site, asking.Request(name, event.level, event.pool))
    if event.type is EventType.RESTORE:
        return restore.queue(site, Wish(target=os.fsencode(event.target), task=name))
    if event.type is EventType.COMMAND:
        commands.program(site, event.command)
        return working.queue(
            site, commands.TYPE, event.command, commands.told_of(event)
        )
    raise WrongUsage(f'event "{event.name}" is run by sm_newday run')
