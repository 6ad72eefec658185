"""What newday lets go of the past: logs of jobs, rows of the calendar sheet."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sesam.catalog import pruning
from sesam.catalog import site as settings
from sesam.service.ground.joblog import counted
from sesam.service.ground.site import Site

_LOGS = re.compile(r"job-\d+\.log|notices\.log|day\.log")


@dataclass(frozen=True, slots=True)
class Prunable:
    """log_days -- backup days whose logs go; sheet_rows -- that lie before one."""

    log_days: tuple[date, ...] = ()
    sheet_before: date | None = None
    sheet_rows: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """Return it as lines of newday's plan: action, and reason."""
        found = [
            {"action": "prune log", "reason": f"logs of backup day {day}"}
            for day in self.log_days
        ]
        if self.sheet_rows:
            what = counted(self.sheet_rows, "row")
            why = f"{what} of the calendar sheet, before {self.sheet_before}"
            found.append({"action": "prune sheet", "reason": why})
        return found


def plan(site: Site, today: date) -> Prunable:
    """Look what is older than the site wants to keep; change nothing."""
    wanted = settings.settings()
    logs: tuple[date, ...] = ()
    if wanted.log_days:
        logs = tuple(_old_logs(site, today - timedelta(days=wanted.log_days)))
    if not wanted.sheet_days:
        return Prunable(logs)
    before = today - timedelta(days=wanted.sheet_days)
    return Prunable(logs, before, pruning.old_rows(before))


def carry_out(site: Site, asked: Prunable, say: Callable[[str], object]) -> None:
    """Remove what the plan says."""
    for day in asked.log_days:
        _remove_logs(site.path("var/log", day.isoformat()))
    if asked.log_days:
        say(f"logs removed: {counted(len(asked.log_days), 'backup day')}")
    if asked.sheet_before is not None:
        gone = pruning.prune_sheet(site.catalog, asked.sheet_before)
        if gone:
            say(f"rows of the calendar sheet forgotten: {gone}")
        days = settings.settings().sheet_days
        pruning.prune_notices(site.catalog, site.clock() - timedelta(days=days))


def _old_logs(site: Site, before: date) -> list[date]:
    """Return the days before `before` that have logs, and no job under way."""
    busy = pruning.days_with_open_jobs()
    found = []
    with suppress(OSError):
        for name in os.listdir(site.path("var/log")):
            with suppress(ValueError):
                day = date.fromisoformat(name)
                is_old = name == day.isoformat() and day < before and day not in busy
                if is_old and any(_logs_in(site.path("var/log", name))):
                    found.append(day)
    return sorted(found)


def _remove_logs(directory: str) -> None:
    """Remove the logs in a directory, and it if nothing else is in it."""
    with suppress(OSError):
        for path in _logs_in(directory):
            with suppress(OSError):
                os.unlink(path)
        os.rmdir(directory)


def _logs_in(directory: str) -> list[str]:
    """Return the logs in a directory; what else lies there is none of ours."""
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    return [os.path.join(directory, one) for one in names if _LOGS.fullmatch(one)]
