"""Watching the clock: sightings of it, the pause of deletions, and rehearsals.

A sighting under SESAM_NOW counts on a rehearsal site alone, one without it everywhere
else: a rehearsal must not make the true clock look wrong.
"""

import json
from dataclasses import replace
from datetime import datetime

from sesam.catalog import clockback
from sesam.catalog import site as settings
from sesam.errors import Protected
from sesam.rules.clock import BEHIND, Sightings, confirmed, sighted
from sesam.service.ground import audit
from sesam.service.ground.site import Site

_YES, _NO = "yes", "no"
_INSTANTS = ("seen_at", "leapt_from", "leapt_to")
CONFIRM = "sm_newday run --confirm-clock"


def saw(site: Site) -> None:
    """Record that the clock was seen, by who may come rarely: a backup that starts."""
    if site.rehearsing == _is_rehearsal():
        with site.catalog.change():
            known = _known()
            _put(known, sighted(known, site.clock(), judges_ahead=False))


def judge(site: Site, *, confirm: bool) -> Sightings:
    """Return what is known of the clock if newday looks at it now; record nothing.

    confirm -- an admin says that the clock is right
    """
    return _judged(site, site.clock(), confirm)


def record(site: Site, *, confirm: bool) -> Sightings:
    """Judge, and keep it; the first run says for good whether the site rehearses."""
    with site.catalog.change():
        return _record(site, site.clock(), confirm)[1]


def ticked(site: Site) -> tuple[datetime, list[str]]:
    """Record a tick; return its `now`, and what is wrong with the clock.

    Where it went back, what the last tick has decided about times that are still to
    come is taken back first. A leap is told once, by the tick that finds it.
    Raises Protected under the wrong kind of clock.
    """
    problems = []
    with site.catalog.change():
        refuse_tick(site)
        now, text = site.moment(), settings.get(settings.TICKED)
        last = datetime.fromisoformat(text) if text else now
        if last - now > BEHIND:
            problems.append(_take_back(site, last, now))
        if not text or last < now or problems:
            settings.put(settings.TICKED, now.isoformat())
        before, seen = _record(site, now, False)
        if seen.is_paused and before.leapt_to != seen.leapt_to:
            problems.append(f"deletions are paused: {why(site, seen)}; {CONFIRM}")
    return now, problems


def _take_back(site: Site, last: datetime, now: datetime) -> str:
    count = clockback.take_back(now, now.astimezone(site.zone).date())
    told = f"the clock went back from {_shown(site, last)} to {_shown(site, now)}"
    detail = f"{told}: {count} rows that started no job are decided again"
    audit.record(site, "take back", "calendar", detail)
    return detail


def _judged(site: Site, now: datetime, confirm: bool) -> Sightings:
    known = _known()
    if confirm:
        return confirmed(now)
    if not settings.get(settings.REHEARSAL):
        # Before the first run nobody has looked daily: a long silence says nothing,
        # and sightings of the true clock are none of a rehearsal's.
        if site.rehearsing:
            return Sightings(now)
        if known.seen_at is not None and known.seen_at < now:
            known = replace(known, seen_at=None)
    return sighted(known, now, judges_ahead=True)


def _record(site: Site, now: datetime, confirm: bool) -> tuple[Sightings, Sightings]:
    """Judge and keep it, within `change`; return what was known, and what is now."""
    before, seen = _known(), _judged(site, now, confirm)
    if not settings.get(settings.REHEARSAL):
        settings.put(settings.REHEARSAL, _YES if site.rehearsing else _NO)
    _put(before, seen)
    if before.leapt_to != seen.leapt_to:
        what = "pause" if seen.is_paused else "end of pause"
        detail = why(site, seen) or ("confirmed" if confirm else "three days")
        audit.record(site, what, "clock", detail)
    return before, seen


def paused(site: Site) -> str:
    """Return why deletions are paused, "" where they are not."""
    return why(site, _known())


def why(site: Site, seen: Sightings) -> str:
    """Return in words why these sightings pause deletions, "" where they do not."""
    if seen.leapt_from is None or seen.leapt_to is None:
        return ""
    before, after = (_shown(site, one) for one in (seen.leapt_from, seen.leapt_to))
    ahead = seen.leapt_to > seen.leapt_from
    word = "leapt ahead" if ahead else "went back"
    return f"the clock {word} from {before} to {after}"


def refuse_tick(site: Site) -> None:
    """Raise Protected where no tick or newday may run: by the wrong kind of clock."""
    refuse_rehearsal(site)
    if not site.rehearsing and _is_rehearsal():
        raise Protected(
            "this site rehearses: its first tick or newday ran under SESAM_NOW",
            hint="set SESAM_NOW, or make another site",
        )


def refuse_rehearsal(site: Site) -> None:
    """Raise Protected under SESAM_NOW where a tick or newday has run without it."""
    if site.rehearsing and settings.get(settings.REHEARSAL) == _NO:
        raise Protected(
            "under SESAM_NOW nothing is started or deleted by the calendar of a site"
            " that has ticked without it",
            hint="unset SESAM_NOW; rehearse on a site of its own",
        )


def refuse_deletion(site: Site) -> None:
    """Raise Protected where nothing may be deleted now: paused, or under SESAM_NOW."""
    refuse_rehearsal(site)
    reason = paused(site)
    if reason:
        raise Protected(f"deletions are paused: {reason}", hint=CONFIRM)


def _is_rehearsal() -> bool:
    return settings.get(settings.REHEARSAL) == _YES


def _known() -> Sightings:
    facts = json.loads(settings.get(settings.CLOCK, "{}"))
    instants = (facts.get(name) for name in _INSTANTS)
    return Sightings(*(one and datetime.fromisoformat(one) for one in instants))


def _put(before: Sightings, after: Sightings) -> None:
    if after != before:
        facts = {name: getattr(after, name) for name in _INSTANTS}
        text = json.dumps({k: v.isoformat() for k, v in facts.items() if v})
        settings.put(settings.CLOCK, text)


def _shown(site: Site, moment: datetime) -> str:
    return moment.astimezone(site.zone).isoformat(timespec="seconds")
