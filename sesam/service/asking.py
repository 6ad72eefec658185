"""What a backup is told, as its job keeps it from the queue to its worker."""

from dataclasses import dataclass

from sesam.catalog import clients, tasks
from sesam.rules.records import Job
from sesam.service import working
from sesam.service.ground.site import Site
from sesam.service.moving import targets
from sesam.terms import Level, State

TYPE = "backup"
_KEYS = (
    "job",
    "saveset",
    "task",
    "level",
    "base",
    "reason",
    "state",
    "backup_day",
    "files",
    "changed",
    "deleted",
    "bytes",
    "stored_bytes",
    "seconds",
    "warnings",
    "media",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What an admin asks for: a task, and what differs from its definition.

    level -- None = FULL if there is none yet, else INCR
    """

    task: str
    level: Level | None = None
    pool: str = ""


def queue(site: Site, request: Request) -> Job:
    """Add the job of a backup; `backup.work` does it. Raises NotFound, Conflict."""
    task = tasks.get_task(request.task)
    targets.pool_for(task, request.pool)
    clients.get_client(task.client)
    return working.queue(site, TYPE, task.name, told_of(request))


def told_of(request: Request) -> dict[str, object]:
    """Return what the job of a backup is told, as JSON values."""
    level = request.level.value if request.level else None
    return {"level": level, "pool": request.pool}


def queued_result(job: Job) -> dict[str, object]:
    """Return what `sm_backup start --detach` reports: null is not known yet."""
    return {
        **dict.fromkeys(_KEYS),
        "job": job.id,
        "task": job.object,
        "level": job.request.get("level"),
        "state": job.state.value,
        "backup_day": job.backup_day.isoformat(),
    }


def failed_result(task: str) -> dict[str, object]:
    """Return the row of a task of a group whose backup has failed."""
    return {
        **dict.fromkeys(_KEYS),
        "task": task,
        "state": State.ERROR.value,
        "warnings": 0,
        "media": [],
    }


def request_of(job: Job) -> Request:
    """Return what the job of a backup was told."""
    told = job.request
    level = Level(told["level"]) if told.get("level") else None
    return Request(job.object, level, told.get("pool", ""))
