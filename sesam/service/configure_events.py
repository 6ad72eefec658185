"""Changing events: checked as a whole, then one transaction."""

from dataclasses import replace

from sesam.catalog import events
from sesam.errors import Protected, WrongUsage
from sesam.rules.decision import EventType
from sesam.rules.event import NEWDAY, Event, check_event, check_follow
from sesam.service import commands
from sesam.service.configure import Kind, changing, removing
from sesam.service.ground.site import Site

_EVENT = Kind("event", events.get_event)


def add_event(here: Site, event: Event) -> None:
    """Add an event; it has no occurrence before now.

    Raises Conflict, WrongUsage, NotFound for what it refers to.
    """
    if event.type is EventType.NEWDAY:
        raise WrongUsage(
            f'there is one event of type newday: "{NEWDAY}"',
            hint=f"sm_event modify {NEWDAY}",
        )
    _check(here, event)
    now = here.clock()

    def add() -> None:
        _check_follow(event)
        events.add_event(replace(event, since=now), now)

    changing(here, _EVENT, event.name, add, new=True)


def modify_event(here: Site, event: Event) -> None:
    """Change an event. Raises NotFound, WrongUsage, Protected for NEWDAY.

    Switched on, or moved to another schedule, it has no occurrence before now.
    """
    before = events.get_event(event.name)
    if event.type is not before.type:
        raise WrongUsage(
            f'event "{event.name}" is of type {before.type}: that stays',
            hint="add another event",
        )
    if event.type is EventType.NEWDAY:
        if replace(event, enabled=before.enabled, note=before.note) != before:
            raise _needed("changed")
    else:
        _check(here, event)
    if event.schedule == before.schedule and event.enabled <= before.enabled:
        begun = None
    else:
        begun = here.clock()

    def change() -> None:
        _check_follow(event)
        events.modify_event(replace(event, since=begun or event.since))
        if begun:
            events.begin_at(event.name, begun if event.schedule else None)

    changing(here, _EVENT, event.name, change)


def switch(here: Site, name: str, *, on: bool, force: bool = False) -> None:
    """Switch an event on or off. Raises NotFound, Protected for NEWDAY."""
    event = events.get_event(name)
    if event.type is EventType.NEWDAY and not on and not force:
        raise _needed("switched off")
    modify_event(here, replace(event, enabled=on))


def remove_event(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove an event. Raises NotFound, Protected for NEWDAY and what is followed."""
    if events.get_event(name).type is EventType.NEWDAY:
        raise _needed("removed")
    removing(here, _EVENT, name, events.remove_event, dry_run=dry_run)


def _check(here: Site, event: Event) -> None:
    check_event(event)
    if event.type is EventType.COMMAND:
        commands.program(here, event.command)


def _check_follow(event: Event) -> None:
    """Refuse a cycle; within the transaction, or two changes at once would make one."""
    if event.follow:
        known = {one.name: one for one in events.list_events()}
        known[event.name] = event
        check_follow(event, lambda name: known.get(name) or events.get_event(name))


def _needed(what: str) -> Protected:
    return Protected(
        f'event "{NEWDAY}" is not {what}: without it no backup day ends,'
        " and nothing expires",
        hint="--force does it all the same" if "off" in what else "",
    )
