"""The end of a backup day: it is closed by newday, and final when its last job ended.

Both write its day log, a line for each job; the summary is told once.
"""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from sesam.catalog import days, notices
from sesam.device.durable import open_new
from sesam.rules.records import Job
from sesam.service.ground.joblog import counted
from sesam.service.ground.site import Site, make_private
from sesam.terms import State

DAY_LOG = "day.log"
# What newday itself did is told with the latest of several days.
_FAILED_SHOWN = 50
_BAD = (State.ERROR, State.CANCELLED)
_CODES = {State.OK: 0, State.WARNING: 1, State.ERROR: 2, State.CANCELLED: 3}


def due(site: Site, today: date) -> list[date]:
    """Return the backup days before `today` that are to be closed, in order."""
    last = days.last_closed()
    found = days.days_with_rows(last, today)
    if last is None:
        return found[-1:]  # what came before the first closing is history
    before = site.newdays.before(today)
    # A day on which nothing was done at all is told of as well.
    return sorted({*found, before}) if before > last else found


def close(site: Site, closing: list[date], done: Mapping[str, Any]) -> list[str]:
    """Close backup days, and post the summary of each; return lines for a log.

    done -- what this newday did: expired, missing, paused
    """
    said = []
    for day in closing:
        found = summary(day)
        if day == closing[-1]:
            found |= done
        now = site.clock()
        with site.catalog.change():
            if not days.close(day, now, found):
                continue
            notices.post(
                notices.NEWDAY,
                notices.SUMMARY,
                day.isoformat(),
                _subject(day, found),
                now=now,
                facts={
                    "backup_day": day.isoformat(),
                    "state": _state(found),
                    "text": _text(day, found),
                    **found,
                },
                once=f"{notices.SUMMARY}:{day}",
            )
        _write_log(site, day)
        said.append(f"backup day {day} is closed: {_jobs(found)}")
    finalise(site)
    return said


def finalise(site: Site) -> None:
    """Make closed days final whose last job has ended."""
    for day, known in days.not_final():
        if days.open_jobs(day):
            continue
        with site.catalog.change():
            days.finish(day, site.clock(), known | summary(day))
        _write_log(site, day)


def summary(day: date) -> dict[str, Any]:
    """Return what became of a backup day: jobs by state, those that failed."""
    found = days.jobs_of(day)
    count, size = days.savesets_of(day)
    failed = [one for one in found if one.state in _BAD]
    return {
        "jobs": dict(sorted(Counter(one.state.value for one in found).items())),
        "occurrences": days.occurrences_of(day),
        "savesets": count,
        "stored_bytes": size,
        "failed": [_failed(one) for one in failed[:_FAILED_SHOWN]],
        "open": sum(not one.state.is_final for one in found),
    }


def _failed(one: Job) -> dict[str, Any]:
    return {
        "job": one.id,
        "type": one.type,
        "object": one.object,
        "state": one.state.value,
        "message": one.message,
    }


def _state(found: Mapping[str, Any]) -> str:
    jobs = found["jobs"]
    if jobs.get(State.ERROR.value) or found.get("missing"):
        return State.ERROR.value
    odd = found["failed"] or jobs.get(State.WARNING.value) or found.get("paused")
    return (State.WARNING if odd else State.OK).value


def _subject(day: date, found: Mapping[str, Any]) -> str:
    return f"backup day {day}: {_jobs(found)}"


def _jobs(found: Mapping[str, Any]) -> str:
    told = ", ".join(f"{count} {state}" for state, count in found["jobs"].items())
    return told or "no job"


def _text(day: date, found: Mapping[str, Any]) -> str:
    """Return the summary in lines, as a mail shows it."""
    lines = [
        f"Backup day {day}.",
        f"Jobs: {_jobs(found)}.",
        f"{counted(found['savesets'], 'saveset')},"
        f" {counted(found['stored_bytes'], 'byte')} stored.",
    ]
    if found["occurrences"]:
        told = (f"{count} {state}" for state, count in found["occurrences"].items())
        lines.append(f"Calendar: {', '.join(told)}.")
    if found["open"]:
        lines.append(f"{counted(found['open'], 'job')} not ended yet.")
    if found.get("expired"):
        lines.append(f"Copies expired and deleted: {found['expired']}.")
    if found.get("missing"):
        lines.append(f"Copies missing: {found['missing']}.")
    if found.get("paused"):
        lines.append(f"Deletions are paused: {found['paused']}.")
    lines += [
        f"{one['state']}: {one['type']} of {one['object']}, job {one['job']}:"
        f" {one['message']}"
        for one in found["failed"]
    ]
    return "\n".join(lines)


def _write_log(site: Site, day: date) -> None:
    """Write the day log anew: for people and grep; what cannot be written is not."""
    path = site.day_path(day, DAY_LOG)
    with suppress(OSError):
        make_private(os.path.dirname(path))
        new = f"{path}.{os.getpid()}"
        with suppress(FileNotFoundError):
            os.unlink(new)
        with os.fdopen(open_new(new), "w", encoding="utf-8", errors="replace") as file:
            file.writelines(_line(site, one) + "\n" for one in days.jobs_of(day))
        os.rename(new, path)


def _line(site: Site, one: Job) -> str:
    moment = one.started_at or one.queued_at
    began = moment.astimezone(site.zone).isoformat(timespec="seconds")
    code = _CODES.get(one.state, "-")
    said = " ".join(one.message.split())
    return f"{code} {began} {one.state} job {one.id} {one.type} {one.object}: {said}"
