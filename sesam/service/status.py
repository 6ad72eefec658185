"""The site at a glance: which day, what runs, what was decided, what is wrong."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sesam.catalog import alarms, events, jobs, notices, sheet
from sesam.catalog import site as settings
from sesam.rules.event import NEWDAY
from sesam.rules.records import Job
from sesam.service import fullness, newday, watching
from sesam.service.fullness import StoreSeen
from sesam.service.ground.site import Site
from sesam.terms import State

OK, WARNING, CRITICAL = "ok", "warning", "critical"
_ORDER = (OK, WARNING, CRITICAL)
_TICK_LATE, _TICK_GONE = timedelta(minutes=15), timedelta(hours=1)
_NEWDAY_LATE = timedelta(hours=50)
_FULL = 99
Problem = tuple[str, str]


def status(site: Site) -> dict[str, Any]:
    """Return the site at a glance; nothing is changed."""
    now = site.clock()
    day = newday.show(site)
    rows = sheet.between(day["backup_day"], day["backup_day"])
    states = [row.state for row in rows]
    seen = fullness.stores(site)
    tick = last_tick()
    problems = list(_problems(site, seen, tick, day["last_run_at"]))
    return {
        "state": max([OK, *(one for one, _ in problems)], key=_ORDER.index),
        "at": now,
        "backup_day": day["backup_day"],
        "since": day["since"],
        "until": day["until"],
        "last_tick_at": tick,
        "last_newday_at": day["last_run_at"],
        "paused": day["paused"],
        "queued": len(_queued()),
        "active": len(jobs.active_jobs()),
        "decided": {one: states.count(one) for one in sorted(set(states))},
        "failing_notices": notices.failing(),
        "problems": [{"state": one, "text": text} for one, text in problems],
        "jobs": [_job(one) for one in [*jobs.active_jobs(), *_queued()]],
        "decisions": [_decision(row) for row in rows],
        "rpo": watching.watched(site),
        "stores": [_store(one) for one in seen],
        "alarms": [
            {
                "kind": one.kind,
                "object": one.object,
                "text": one.text,
                "since": one.since,
                "reminders": one.reminders,
            }
            for one in alarms.open_alarms()
        ],
    }


def last_tick() -> datetime | None:
    """Return when the last tick began, None where none ever did."""
    text = settings.get(settings.TICKED)
    return datetime.fromisoformat(text) if text else None


def _problems(
    site: Site,
    seen: list[StoreSeen],
    tick: datetime | None,
    ran: datetime | None,
) -> Iterator[Problem]:
    """Yield what an admin has to look at."""
    now = site.clock()
    yield from _of_clocks(now, tick, ran)
    for (kind, _), text in watching.conditions(site).items():
        grave = kind in (watching.RPO, watching.MISSING)
        yield (CRITICAL if grave else WARNING), text
    for one in seen:
        if one.problem:
            yield CRITICAL, one.problem
        elif one.is_near_full:
            full = (one.used_percent or 0) >= _FULL
            text = f'data store "{one.name}": {one.used_percent} % of its disk is used'
            yield (CRITICAL if full else WARNING), text
    failed = jobs.list_jobs(state=State.ERROR, day=site.backup_day(now))
    if failed:
        names = ", ".join(sorted({one.object for one in failed})[:5])
        yield WARNING, f"jobs of today that ended as error: {len(failed)} ({names})"
    if count := notices.failing():
        yield WARNING, f"notices that no script takes: {count}"


def _of_clocks(
    now: datetime, tick: datetime | None, ran: datetime | None
) -> Iterator[Problem]:
    if tick is None:
        # Without anything on a schedule a site can do without ticks.
        if any(one.schedule for one in events.list_events() if one.name != NEWDAY):
            yield WARNING, "nothing ever ticked: sepuler tick, each minute from cron"
    elif now - tick > _TICK_LATE:
        minutes = (now - tick) // timedelta(minutes=1)
        grave = now - tick > _TICK_GONE
        text = f"the last tick was {minutes} minutes ago"
        yield (CRITICAL if grave else WARNING), text
    if ran is not None and now - ran > _NEWDAY_LATE:
        yield WARNING, f"the last newday was {(now - ran).days} days ago"


def _queued() -> list[Job]:
    return jobs.list_jobs(state=State.QUEUED)


def _job(one: Job) -> dict[str, Any]:
    return {
        "job": one.id,
        "type": one.type,
        "object": one.object,
        "state": one.state.value,
        "priority": one.priority,
        "queued_at": one.queued_at,
        "started_at": one.started_at,
    }


def _decision(row: sheet.SheetRow) -> dict[str, Any]:
    return {
        "start_at": row.start_at,
        "event": row.event or None,
        "type": row.type.value,
        "object": row.object,
        "state": row.state,
        "reason": row.reason or None,
        "by": row.by or None,
        "job": row.job,
    }


def _store(one: StoreSeen) -> dict[str, Any]:
    return {
        "store": one.name,
        "client": one.rds or None,
        "used_bytes": one.used_bytes if one.size_bytes else None,
        "size_bytes": one.size_bytes or None,
        "used_percent": one.used_percent,
        "high_water": one.high_water,
        "near_full": one.is_near_full,
        "problem": one.problem or None,
    }
