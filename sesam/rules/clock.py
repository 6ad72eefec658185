"""Whether the clock can be trusted: sightings of it, and the pause after a leap.

A clock that has leapt ahead would let everything expire at once, and one that went back
has been wrong before or is wrong now: until that is clear nothing is deleted.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

AHEAD = timedelta(days=3)
BEHIND = timedelta(minutes=10)
REGULAR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Sightings:
    """What is known of the clock; instants are aware, None = never.

    seen_at -- the last sighting
    leapt_from, leapt_to -- the leap that deletions are paused for: the sighting before
    it, and the one that showed it
    """

    seen_at: datetime | None = None
    leapt_from: datetime | None = None
    leapt_to: datetime | None = None

    @property
    def is_paused(self) -> bool:
        return self.leapt_to is not None


def sighted(known: Sightings, now: datetime, *, judges_ahead: bool) -> Sightings:
    """Return what is known after the clock was seen at `now`.

    judges_ahead -- False for who comes rarely: a clock far ahead of the last sighting
    then says nothing, and is left for the next one to judge

    A clock more than AHEAD before the last sighting, or more than BEHIND behind it, has
    leapt. A pause ends when sightings have been regular for as long as REGULAR.
    """
    seen = known.seen_at
    if seen is None:
        return replace(known, seen_at=now)
    if seen - now > BEHIND:
        return Sightings(now, leapt_from=seen, leapt_to=now)
    if now - seen > AHEAD:
        if not judges_ahead:
            return known
        return Sightings(now, leapt_from=seen, leapt_to=now)
    latest = max(seen, now)
    if known.leapt_to is not None and latest - known.leapt_to >= REGULAR:
        return Sightings(latest)
    return replace(known, seen_at=latest)


def confirmed(now: datetime) -> Sightings:
    """Return what is known when an admin has said that the clock is right."""
    return Sightings(now)
