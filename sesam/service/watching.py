"""Looking whether all is as it should be: by few small questions, at each tick.

What is not begins an alarm; one that goes on is told again by reminders; one that is
right again is over.
"""

from datetime import timedelta
from typing import Any

from sesam.catalog import alarms, tasks
from sesam.catalog import site as settings
from sesam.catalog.alarms import Alarm
from sesam.service import clockwatch, notifying
from sesam.service.ground.site import Site

RPO, MISSING, PAUSED, NEWDAY = "rpo", "missing", "paused", "newday"


def watch(site: Site) -> None:
    """Begin, repeat and end alarms, and let scripts be told what is due."""
    wrong = conditions(site)
    known = {(one.kind, one.object): one for one in alarms.open_alarms()}
    now = site.clock()
    begun = [key for key in wrong if key not in known]
    over = [one for key, one in known.items() if key not in wrong]
    again = [
        one
        for key, one in known.items()
        if key in wrong and one.remind_at is not None and one.remind_at <= now
    ]
    if begun or over or again:
        _change(site, wrong, begun, over, again)
    notifying.kick(site)


def conditions(site: Site) -> dict[tuple[str, str], str]:
    """Return what is not as it should be: (kind, object) and a sentence."""
    found = {(RPO, name): text for name, text in over_rpo(site).items()}
    for saveset, media in alarms.missing_copies():
        where = ", ".join(media)
        found[MISSING, saveset] = f"saveset {saveset} is missing in {where}"
    if why := clockwatch.paused(site):
        found[PAUSED, "clock"] = f"deletions are paused: {why}"
    if not settings.newday_is_on():
        text = "NEWDAY is switched off: no backup day ends, nothing expires"
        found[NEWDAY, settings.NEWDAY_EVENT] = text
    return found


def over_rpo(site: Site) -> dict[str, str]:
    """Return the tasks without a good saveset within their RPO, and a sentence each."""
    now, found = site.clock(), {}
    for one in tasks.watched_tasks():
        last = one.newest or one.since
        if last is None or not one.is_over(now):
            continue
        local = last.astimezone(site.zone).isoformat(timespec="seconds")
        what = "its last good saveset started" if one.newest else "it has none since"
        found[one.task] = f"task {one.task}: {what} {local}, its RPO is {one.rpo} hours"
    return found


def watched(site: Site) -> list[dict[str, Any]]:
    """Return the tasks with an RPO as rows."""
    now = site.clock()
    return [
        {
            "task": one.task,
            "rpo": one.rpo,
            "last_good_at": one.newest,
            "over": one.is_over(now),
        }
        for one in tasks.watched_tasks()
    ]


def _change(
    site: Site,
    wrong: dict[tuple[str, str], str],
    begun: list[tuple[str, str]],
    over: list[Alarm],
    again: list[Alarm],
) -> None:
    now, hours = site.clock(), settings.settings().remind_hours
    remind_at = now + timedelta(hours=hours) if hours else None
    with site.catalog.change():
        for key in begun:
            alarms.begin(*key, wrong[key], now, remind_at)
        for one in over:
            alarms.end(one, now)
        for one in again:
            alarms.remind(one, wrong[one.kind, one.object], now, remind_at)
