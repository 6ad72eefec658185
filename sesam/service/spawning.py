"""The queue: jobs that wait, and the workers that are started for them.

Higher priority first, then the older one. One job for a type and object at a time, and
no more at once than the drives of their drive group have streams.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sesam.catalog import drives, jobs, pools, queue, sheet, tasks
from sesam.catalog import site as settings
from sesam.errors import SesamError
from sesam.rules.records import Job, Waits
from sesam.service.ground.site import Site
from sesam.service.ground.spawn import spawn_worker
from sesam.terms import State

# A worker that has not begun after so long never will: another one is started.
_SPAWN_S = 120
_BACKUP = "backup"


class Told(NamedTuple):
    """A job to be: its type, its object, and what it is told."""

    type: str
    object: str
    request: Mapping[str, Any]


def enqueue(
    told: Told,
    *,
    day: date,
    now: datetime,
    priority: int,
    waits: Waits,
) -> Job:
    """Add a job that waits for a worker; to be called within `change`."""
    return jobs.enqueue(
        told.type,
        told.object,
        backup_day=day,
        now=now,
        priority=priority,
        request=told.request,
        waits=waits,
    )


def spawn_waiting(site: Site) -> list[str]:
    """Start a worker for each waiting job that can run now; return what went wrong."""
    now, problems = site.clock(), []
    waiting = queue.waiting(now)
    if not waiting:
        return []
    active = jobs.active_jobs()
    room = _Room()
    taken = {(one.type, one.object) for one in active}
    used = Counter(group for one in active if (group := room.group(one)))
    for job, closes_at in waiting:
        if closes_at is not None and closes_at < now:
            expire(site, job, now)
            continue
        group = room.group(job)
        if (job.type, job.object) in taken or (group and used[group] >= room.of(group)):
            continue
        taken.add((job.type, job.object))
        if group:
            used[group] += 1
        with site.catalog.change():
            mine = queue.note_spawned(job.id, now, _SPAWN_S)
        if not mine:
            continue
        try:
            spawn_worker(site, job.id)
        except SesamError as error:
            problems.append(f"job {job.id}: {error}")
    return problems


def expire(site: Site, job: Job, now: datetime) -> None:
    """End a job that has not left the queue in time, and its occurrence."""
    reason = "expired: it did not leave the queue within its life time"
    with site.catalog.change():
        if jobs.end_queued(
            job.id, State.CANCELLED, now=now, message=reason, exit_code=jobs.CANCELLED
        ):
            sheet.note_expired(job.id, reason)


class _Room:
    """Which drive groups jobs write through, and how many may at once."""

    def __init__(self) -> None:
        self._pools = tasks.pools_of_tasks()
        self._groups = {one.name: one.group for one in pools.list_pools()}
        self._default = settings.get(settings.POOL)
        self._streams: Counter[str] = Counter()
        for one in drives.list_drives():
            self._streams[one.group] += one.streams

    def group(self, job: Job) -> str:
        """Return the drive group that a job writes through, "" where it writes none."""
        if job.type != _BACKUP:
            return ""
        pool = job.request.get("pool") or self._pools.get(job.object) or self._default
        return self._groups.get(pool, "")  # its worker says what is not there

    def of(self, group: str) -> int:
        return max(1, self._streams[group])
