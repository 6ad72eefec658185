"""Retention: until which day a copy is kept, and which copies a backup day lets go.

A copy expires by its own EOL; the last `ok` copy of a saveset not before the effective
EOL of the saveset: the latest of its copies' and of those of all that build on it. What
is never to go by itself has the EOL NEVER.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sesam.terms import CopyState, Level

NEVER = date.max
_LOCKED = "is locked"
_BEST_FIRST = {CopyState.OK: 0, CopyState.DAMAGED: 1, CopyState.MISSING: 2}


class HeldCopy(NamedTuple):
    """A copy as retention sees it; media -- data stores or labels of tapes."""

    id: int
    pool: str
    media: tuple[str, ...]
    state: CopyState
    eol: date


class Holding(NamedTuple):
    """A saveset as retention sees it: light, for there may be very many.

    good -- its state is ok or warning; stored_bytes -- of one copy
    """

    name: str
    task: str
    level: Level
    good: bool
    started_at: datetime
    base: str
    locked: bool
    stored_bytes: int
    copies: tuple[HeldCopy, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a copy whose own EOL has passed, and why."""

    saveset: Holding
    copy: HeldCopy
    delete: bool
    reason: str


class _Hold(NamedTuple):
    """Until when a saveset is needed; why -- of the saveset `by`: "is locked"."""

    until: date
    by: str
    why: str


def eol(written_at: datetime, zone: ZoneInfo, retention_days: int) -> date:
    """Return the EOL: the day of the end of writing in the site's zone + retention.

    The copy is expired when a backup day later than that begins.
    """
    try:
        return written_at.astimezone(zone).date() + timedelta(days=retention_days)
    except OverflowError:
        return NEVER


def effective_eols(savesets: Sequence[Holding]) -> dict[str, date]:
    """Return the effective EOL of each saveset by name; NEVER: locked, or below one.

    savesets -- all that build on those of interest among them
    """
    order = dependents_first(savesets)
    locked = {one.name: _LOCKED for one in order if one.locked}
    holds = _spread(order, {one.name: _own_hold(one, locked) for one in order})
    return {name: hold.until for name, hold in holds.items()}


def dependents_first(savesets: Sequence[Holding]) -> list[Holding]:
    """Return the savesets, each before the one it builds on, newer ones first.

    A ring, which no catalog should hold, comes last in any order.
    """
    newest_first = sorted(savesets, key=lambda one: one.started_at, reverse=True)
    by_name = {one.name: one for one in newest_first}
    builders = Counter(one.base for one in newest_first if one.base in by_name)
    order = [one for one in newest_first if not builders[one.name]]
    for one in order:  # grows while it is walked
        builders[one.base] -= 1
        if one.base in by_name and not builders[one.base]:
            order.append(by_name[one.base])
    placed = {one.name for one in order}
    return order + [one for one in newest_first if one.name not in placed]


def expiry(
    savesets: Sequence[Holding],
    *,
    backup_day: date,
    tasks: frozenset[str],
    busy: Mapping[str, str],
    fixed: Mapping[str, str],
) -> list[Verdict]:
    """Judge every copy whose EOL lies before `backup_day`, dependents first.

    savesets -- all of the catalog; tasks -- those that exist
    busy  -- savesets that are in use now: "is being read by job 7"
    fixed -- media that nothing is deleted from: "belongs to another site"

    The newest good saveset of a task that exists never goes by itself, COPY aside; nor
    does the newest of them that can still be read whole.
    """
    order = dependents_first(savesets)
    never = _newest(order, tasks)
    # What forbids to touch a saveset at all outweighs what merely keeps a copy of it.
    never.update(_fixed_savesets(order, fixed))
    untouchable = {**busy, **{one.name: _LOCKED for one in order if one.locked}}
    never.update(untouchable)
    holds = _spread(order, {one.name: _own_hold(one, never) for one in order})
    found: list[Verdict] = []
    for one in order:
        past = [copy for copy in one.copies if copy.eol < backup_day]
        if one.name in untouchable:
            why = f"it {untouchable[one.name]}"
            found += [Verdict(one, copy, False, why) for copy in past]
        elif past:
            needed = holds[one.name] if holds[one.name].until >= backup_day else None
            found += _verdicts(one, past, needed, fixed)
    return found


def _verdicts(
    one: Holding,
    past: Sequence[HeldCopy],
    needed: _Hold | None,
    fixed: Mapping[str, str],
) -> Iterator[Verdict]:
    """Judge copies past their EOL; needed -- why the saveset must keep one."""
    stuck = {copy.id: why for copy in past if (why := _fixed_copy(copy, fixed))}
    free = {copy.id for copy in past if copy.id not in stuck}
    keeper = min(one.copies, key=lambda copy: _worth(copy, free)) if needed else None
    for copy in past:
        if copy.id in stuck:
            yield Verdict(one, copy, False, f"it {stuck[copy.id]}")
        elif copy is keeper and needed:
            who = "it" if needed.by == one.name else f'"{needed.by}" builds on it and'
            yield Verdict(one, copy, False, f"the last copy, and {who} {needed.why}")
        else:
            yield Verdict(one, copy, True, f"EOL {copy.eol} is past")


def _worth(copy: HeldCopy, free: set[int]) -> tuple[int, bool, int, int]:
    """Order copies: good ones first, of these one that stays anyway, the longest."""
    rank = _BEST_FIRST.get(copy.state, len(_BEST_FIRST))
    return rank, copy.id in free, -copy.eol.toordinal(), copy.id


def _own_hold(one: Holding, never: Mapping[str, str]) -> _Hold:
    if one.name in never:
        return _Hold(NEVER, one.name, never[one.name])
    latest = max((copy.eol for copy in one.copies), default=date.min)
    return _Hold(latest, one.name, f"has EOL {latest}")


def _spread(order: Sequence[Holding], own: Mapping[str, _Hold]) -> dict[str, _Hold]:
    """Return how long each is needed: as long as it is, and as what builds on it."""
    found = dict(own)
    for one in order:
        hold = found[one.name]
        if one.base in found and hold.until > found[one.base].until:
            found[one.base] = hold
    return found


def _newest(order: Sequence[Holding], tasks: frozenset[str]) -> dict[str, str]:
    """Return the newest good savesets of the tasks, and why these never go."""
    whole: set[str] = set()
    for one in reversed(order):  # what a saveset builds on comes before it
        if any(copy.state is CopyState.OK for copy in one.copies) and (
            not one.base or one.base in whole
        ):
            whole.add(one.name)
    newest: dict[str, Holding] = {}
    readable: dict[str, Holding] = {}
    for one in order:
        if one.good and one.level is not Level.COPY and one.task in tasks:
            _put_newer(newest, one)
            if one.name in whole:
                _put_newer(readable, one)
    found = {
        one.name: f'is the newest of task "{one.task}" that can be read'
        for one in readable.values()
    }
    for one in newest.values():
        found[one.name] = f'is the newest good saveset of task "{one.task}"'
    return found


def _put_newer(newest: dict[str, Holding], one: Holding) -> None:
    known = newest.get(one.task)
    if known is None or one.started_at > known.started_at:
        newest[one.task] = one


def _fixed_savesets(
    order: Sequence[Holding], fixed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for one in order:
        for copy in one.copies:
            if why := _fixed_copy(copy, fixed):
                yield one.name, why


def _fixed_copy(copy: HeldCopy, fixed: Mapping[str, str]) -> str:
    """Return why a copy cannot be deleted now, "" where it can."""
    if copy.state is CopyState.WRITING:
        return "is being written"
    for medium in copy.media:
        if medium in fixed:
            return f'lies on "{medium}", which {fixed[medium]}'
    return ""
