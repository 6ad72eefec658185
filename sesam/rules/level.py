"""Level and base of a backup: what it builds on, and why it becomes a FULL instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sesam.rules.records import Saveset
from sesam.terms import CopyState, Level


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task allows a chain: links behind its FULL, days of its age (0 = any)."""

    max_chain: int
    full_every: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Level and base of a saveset to be written.

    base   -- name of the saveset it builds on, "" for FULL and COPY
    reason -- why it is not as asked, "" where it is
    """

    level: Level
    base: str = ""
    reason: str = ""


def wanted(asked: Level | None, *, has_good: bool) -> Level:
    """Return the level that is wanted: INCR by default, FULL where there is none yet.

    >>> wanted(None, has_good=False).value, wanted(None, has_good=True).value
    ('FULL', 'INCR')
    """
    if asked is not None:
        return asked
    return Level.INCR if has_good else Level.FULL


def choose(
    level: Level,
    chain: Sequence[Saveset],
    *,
    source_digest: str,
    limits: Limits,
    now: datetime,
) -> Choice:
    """Return level and base; chain -- what an INCR or DIFF would build on, FULL first.

    source_digest -- of the source definition as of now
    """
    if level in (Level.FULL, Level.COPY):
        return Choice(level)
    why = _refused(level, chain, source_digest, limits, now)
    if why:
        return Choice(Level.FULL, reason=f"{level} becomes FULL: {why}")
    return Choice(level, chain[-1].name)


def _refused(
    level: Level,
    chain: Sequence[Saveset],
    source_digest: str,
    limits: Limits,
    now: datetime,
) -> str:
    """Return why nothing can be built on a chain, "" where it can."""
    if not chain:
        return "there is no good saveset to build on"
    if gap := broken(chain):
        return gap
    if chain[-1].source_digest != source_digest:
        return "client, type, sources or one-file-system of the task were changed"
    # A DIFF is always the first link behind its FULL.
    if len(chain) > limits.max_chain:
        return (
            f"{len(chain) - 1} savesets build on {chain[0].name} already,"
            f" {limits.max_chain} are allowed"
        )
    age = now - chain[0].started_at
    if limits.full_every and age >= timedelta(days=limits.full_every):
        return (
            f"{chain[0].name} is {age.days} days old, a FULL is due each"
            f" {limits.full_every}"
        )
    return ""


def incomplete(chain: Sequence[Saveset]) -> str:
    """Return which link of a chain, FULL first, is missing; "" where none is.

    >>> incomplete([])
    ''
    """
    base = ""
    for one in chain:
        if one.base != base:
            return f"{one.base or 'the FULL'}, on which {one.name} builds, is missing"
        base = one.name
    return ""


def broken(chain: Sequence[Saveset]) -> str:
    """Return why nothing may build on a chain, FULL first; "" where it is sound."""
    for one in chain:
        if not any(copy.state is CopyState.OK for copy in one.copies):
            state = one.copies[0].state.value if one.copies else "gone"
            return f"{one.name} is {state}"
    return incomplete(chain)
