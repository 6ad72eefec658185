"""What a backup reports when it is done."""

from sesam.rules.records import Copy, Job, Saveset
from sesam.service.ground.joblog import counted
from sesam.service.moving.mover import Written


def result_of(
    job: Job, saveset: Saveset, copy: Copy, reason: str, seconds: float
) -> dict[str, object]:
    """Return what `sm_backup start` reports of a backup that was committed."""
    return {
        "job": job.id,
        "saveset": saveset.name,
        "task": saveset.task,
        "level": saveset.level.value,
        "base": saveset.base or None,
        "reason": reason or None,
        "state": saveset.state.value,
        "backup_day": saveset.backup_day.isoformat(),
        "files": saveset.files,
        "changed": saveset.changed,
        "deleted": saveset.deleted,
        "bytes": saveset.bytes,
        "stored_bytes": saveset.stored_bytes,
        "seconds": round(seconds, 3),
        "warnings": saveset.warnings,
        "media": list(copy.media),
    }


def summary_of(written: Written) -> str:
    """Return the message of its job: objects, bytes, warnings."""
    facts = written.manifest
    text = f"{counted(facts.files, 'object')}, {counted(facts.bytes, 'byte')}"
    return f"{text}, {counted(facts.warnings, 'warning')}" if facts.warnings else text
