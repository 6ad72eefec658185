"""Telling the admin's scripts what has happened: by an errand that nobody waits for.

One process at a time does; a script that fails is logged, and tried again. Nothing
here ever ends or delays a job.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from sesam.catalog import claims, drives, jobs, notices, savesets
from sesam.catalog.notices import Notice
from sesam.errors import Busy, InterfaceUnusable, NotFound, SesamError
from sesam.interface.calling import Call, Late, call
from sesam.interface.scripts import DIRECTORY, script
from sesam.rules.records import Claim, Job
from sesam.service.ground import owner
from sesam.service.ground.joblog import lines_of
from sesam.service.ground.site import Site
from sesam.service.ground.spawn import NOTICES, spawn_errand

LIMIT_S = 60
_CLAIM = "errand:notices"
_AGAIN_MINUTES = (1, 5, 15, 60)
# After so long nobody wants to hear of it any more.
_GIVEN_UP = timedelta(days=3)
_TOLD = (0, 1)
Say = Callable[[str], object]


def kick(site: Site) -> None:
    """Start an errand where a script is to be told something; raises nothing."""
    with suppress(SesamError):
        if not notices.is_due(site.clock()) or claims.is_held(site.catalog, _CLAIM):
            return
        if any(_is_there(site, one.interface) for one in notices.due(site.clock())):
            spawn_errand(site, NOTICES)
            return
        run(site)  # nobody wants to know: that takes no process


def run(site: Site) -> None:
    """Tell the scripts what is due; one process at a time does."""
    me = owner.current_owner()
    try:
        with claims.holding(site.catalog, _CLAIM, me, owner.JUDGE) as held:
            done: set[int] = set()
            # What comes meanwhile is told as well; what fails waits for its time.
            while found := [
                one for one in notices.due(site.clock()) if one.id not in done
            ]:
                for one in found:
                    done.add(one.id)
                    _tell(site, one, held)
    except Busy:
        return


def _tell(site: Site, one: Notice, held: Claim) -> None:
    if not _is_there(site, one.interface):
        with site.catalog.change():
            notices.told(one.id, site.clock())
        return
    claims.renew(site.catalog, held)
    day = site.backup_day(site.clock())
    with lines_of(site.day_path(day, "notices.log"), site) as say:
        why = _why_not(site, one, say)
    now = site.clock()
    with site.catalog.change():
        if why:
            notices.not_told(one.id, why, _again_at(one, now))
        else:
            notices.told(one.id, now)


def _why_not(site: Site, one: Notice, say: Say) -> str:
    """Run the script of a notice; return why it was not told, "" where it was."""
    name = _name(site, one.interface)
    say(f"notice {one.id}: {name}: {one.subject}")
    try:
        asked = Call(
            (script(site.path(DIRECTORY), name),),
            _facts(site, one, name),
            {"SESAM_ROOT": site.root},
            LIMIT_S,
        )
        code = call(asked, lambda text: say(f"{name}: {text}"))
    except InterfaceUnusable as error:
        why = str(error)
    except Late:
        why = f"it was ended: its time limit is {LIMIT_S} seconds"
    else:
        if code in _TOLD:
            return ""
        why = f"it ended with exit code {code}"
    say(f"error: notice {one.id}: {name}: {why}")
    return why


def _again_at(one: Notice, now: datetime) -> datetime | None:
    minutes = _AGAIN_MINUTES[min(one.tries, len(_AGAIN_MINUTES) - 1)]
    again = now + timedelta(minutes=minutes)
    return again if again - one.posted_at < _GIVEN_UP else None


def _is_there(site: Site, interface: str) -> bool:
    path = os.path.join(site.path(DIRECTORY), _name(site, interface))
    return os.path.lexists(path)


def _name(site: Site, interface: str) -> str:
    """Return the script that is told; a summary goes to sm_notify without its own."""
    own = os.path.join(site.path(DIRECTORY), interface)
    if interface == notices.NEWDAY and not os.path.lexists(own):
        return notices.NOTIFY
    return interface


def _facts(site: Site, one: Notice, name: str) -> dict[str, Any]:
    """Return what a script is told: of the notice, then of what it is about."""
    facts: dict[str, Any] = {
        "interface": name,
        "site": site.id,
        "host": socket.gethostname(),
        "notice": one.id,
        "kind": one.kind,
        "object": one.object,
        "subject": one.subject,
        "text": one.subject,
        "at": _shown(site, one.posted_at),
        "attempt": one.tries + 1,
        **one.facts,
    }
    if "job" in facts:
        with suppress(NotFound):
            facts |= _of_job(site, jobs.get_job(facts["job"]))
        if one.kind == notices.SELF_BACKUP:
            facts |= _way_back(facts.get("saveset") or "")
    return {key: _plain(site, value) for key, value in facts.items()}


def _of_job(site: Site, job: Job) -> dict[str, Any]:
    text = f"job {job.id}: {job.type} of {job.object} ended as {job.state.value}"
    return {
        "job": job.id,
        "type": job.type,
        "state": job.state.value,
        "message": job.message,
        "text": f"{text}: {job.message}" if job.message else text,
        "backup_day": job.backup_day,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "exit_code": job.exit_code,
        "log": job.log,
        "saveset": (job.result or {}).get("saveset"),
        "result": job.result,
    }


def _way_back(saveset: str) -> dict[str, Any]:
    """Return where the site's own saveset lies, and how the site is brought back."""
    with suppress(NotFound):
        media = savesets.get_saveset(saveset).copies[0].media
        known = {one.name: one for one in drives.list_stores()}
        stores = [known[name] for name in media if name in known]
        commands = [f"sm_setup recover --store {one.path}" for one in stores]
        lines = [f"The site is saved in {saveset}, on {', '.join(media)}."]
        lines += [f"On a blank machine: {one}" for one in commands]
        return {
            "media": list(media),
            "stores": [one.path for one in stores],
            "recover": commands[0] if commands else None,
            "text": "\n".join(lines),
        }
    return {}


def _plain(site: Site, value: Any) -> Any:
    if isinstance(value, datetime):
        return _shown(site, value)
    return value.isoformat() if isinstance(value, date) else value


def _shown(site: Site, moment: datetime) -> str:
    return moment.astimezone(site.zone).isoformat(timespec="seconds")
