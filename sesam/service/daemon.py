"""Ticks one after the other, in one process that stays: `sepuler run`."""

import select
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sesam.catalog import ends, events
from sesam.errors import NoSite, Protected, SesamError
from sesam.service import ticking
from sesam.service.ground import spawn
from sesam.service.ground.site import Site

_MINUTE = timedelta(minutes=1)
# What is due just now has been decided; more is not to come for a moment.
_LEAST_S = 0.2


def run(
    site: Site, wake: int, stopped: Callable[[], bool], say: Callable[[str], object]
) -> None:
    """Tick at each full minute, and when the next start is due, until it is stopped.

    wake -- a descriptor that becomes readable when it is stopped
    say  -- takes what went wrong; what is as wrong as the tick before is said once
    A tick under way is ended first. What fails is tried again at the next one: but
    NoSite and Protected, which no waiting mends, are raised.
    """
    before: list[str] = []
    while not stopped():
        problems = _tick(site)
        for text in problems:
            if text not in before:
                say(text)
        before = problems
        spawn.collect()
        if not stopped():
            select.select([wake], [], [], _pause(site))


def _tick(site: Site) -> list[str]:
    try:
        # Zone and newday may have been changed since: this one reads them anew.
        return ticking.tick(replace(site))
    except (NoSite, Protected):
        raise
    except SesamError as error:
        # A server that went away is asked by a new connection.
        site.catalog.close()
        return [str(error)]


def _pause(site: Site) -> float:
    """Return the seconds until the next tick: a full minute at most."""
    now = site.clock()
    until = now.replace(second=0, microsecond=0) + _MINUTE
    try:
        for moment in (events.next_due(now), ends.next_turn(now)):
            until = min(until, moment or until)
    except SesamError:
        site.catalog.close()
    return max(_LEAST_S, (until - now).total_seconds())
