"""What a newday is going to do, and what it has done: looked at, not carried out."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sesam.catalog import jobs
from sesam.catalog import site as settings
from sesam.rules.records import Job
from sesam.rules.retention import Verdict
from sesam.service import closing, expire, presence, pruning, unread
from sesam.service.ground.site import Site
from sesam.terms import CopyState, State


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: copies judged, copies that are lost or back, listings unused.

    paused -- why nothing is deleted, "" where it is
    closing -- backup days that are closed; cancelled -- jobs of them that are
    """

    backup_day: date
    paused: str
    verdicts: list[Verdict]
    presence: list[presence.Presence]
    listings: list[unread.Unused]
    closing: list[date]
    cancelled: list[Job]
    prunable: pruning.Prunable

    @property
    def is_odd(self) -> bool:
        """Tell whether an admin has to look at something."""
        lost = any(one.found is not CopyState.OK for one in self.presence)
        return bool(self.paused) or lost


def plan(site: Site, paused: str) -> Plan:
    """Look at everything, decide everything, change nothing."""
    day = site.backup_day(site.clock())
    lost = presence.look(site)
    verdicts = expire.plan(site, day, {one.copy: one.found for one in lost})
    if paused:
        verdicts = expire.paused(verdicts, paused)
    return Plan(
        day,
        paused,
        verdicts,
        lost,
        unread.unused(site),
        closing.due(site, day),
        _cancelled(day),
        pruning.Prunable() if paused else pruning.plan(site, day),
    )


def _cancelled(today: date) -> list[Job]:
    """Return the jobs of earlier days that the site wants to be cancelled."""
    types = settings.settings().cancel_at_newday
    if not types:
        return []
    found = [*jobs.list_jobs(state=State.QUEUED), *jobs.active_jobs()]
    return [one for one in found if one.type in types and one.backup_day < today]


def report(plan: Plan, outcomes: list[expire.Outcome] | None = None) -> dict[str, Any]:
    """Return what was done, or, without outcomes, what would be."""
    if outcomes is None:
        outcomes = [
            expire.Outcome(one, expire.PLANNED if one.delete else expire.KEPT)
            for one in plan.verdicts
        ]
    kept = [one for one in outcomes if one.state == expire.KEPT]
    freed = [one for one in outcomes if one.state in (expire.REMOVED, expire.PLANNED)]
    missing = [one for one in plan.presence if one.found is CopyState.MISSING]
    unused = [] if plan.paused else plan.listings
    return {
        "job": None,
        "state": (State.WARNING if plan.is_odd else State.OK).value,
        "backup_day": plan.backup_day,
        "deleted": len(outcomes) - len(kept),
        "kept": len(kept),
        "missing": len(missing),
        "dropped_listings": len(unused),
        "freed_bytes": sum(one.verdict.saveset.stored_bytes for one in freed),
        "closed": [str(day) for day in plan.closing],
        "cancelled": len(plan.cancelled),
        "pruned_logs": len(plan.prunable.log_days),
        "pruned_rows": plan.prunable.sheet_rows,
        "paused": plan.paused or None,
        "plan": [
            *(
                _row("keep" if one.state == expire.KEPT else "delete", **one.row())
                for one in outcomes
            ),
            *(
                _row(one.found.value, saveset=one.saveset, reason=one.why)
                for one in plan.presence
            ),
            *(
                _row(
                    "drop listing",
                    saveset=one.saveset,
                    reason=one.reason,
                    bytes=one.size_bytes,
                )
                for one in unused
            ),
            *(_row(**one) for one in plan.prunable.rows()),
            *(_row("close day", reason=f"backup day {day}") for day in plan.closing),
            *(
                _row(
                    "cancel job",
                    task=one.object,
                    state=one.state.value,
                    reason=f"job {one.id}: {one.type} of backup day {one.backup_day}",
                )
                for one in plan.cancelled
            ),
        ],
    }


_KEYS = ("saveset", "task", "pool", "media", "eol", "bytes", "state", "reason")


def _row(action: str, **facts: Any) -> dict[str, Any]:
    return {"action": action, **{key: facts.get(key) for key in _KEYS}}
