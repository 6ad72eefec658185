"""Whether the site is sound: one small question after the other."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator

from sesam.catalog import checks, drives, jobs, saveset_claims, savesets
from sesam.catalog import site as settings
from sesam.catalog.address import sqlite_path
from sesam.catalog.retention import holdings
from sesam.errors import SesamError
from sesam.service import clockwatch, erasing, fullness, presence, repair, strays
from sesam.service.ground import keys, owner
from sesam.service.ground.joblog import counted
from sesam.service.ground.site import DIRECTORIES, Site
from sesam.terms import CopyState

OK, WARNING, ERROR = "ok", "warning", "error"
Finding = tuple[str, str]


def check_site(
    site: Site, *, repair: bool, delete_unknown: bool = False
) -> list[dict[str, str]]:
    """Return {"check", "state", "message"} rows; `repair` first puts right what it can.

    delete_unknown -- then remove from the stores what no row of the catalog names
    Without these nothing is changed.
    """
    rows = []
    if repair:
        rows += [_row("repair", finding) for finding in _repair(site)]
    if delete_unknown:
        rows += [_row("repair", finding) for finding in _delete_unknown(site)]
    for name, question in _QUESTIONS.items():
        try:
            findings = list(question(site)) or [(OK, "")]
        except SesamError as error:
            findings = [(ERROR, str(error))]
        rows += [_row(name, finding) for finding in findings]
    return rows


def _row(name: str, finding: Finding) -> dict[str, str]:
    return {"check": name, "state": finding[0], "message": finding[1]}


def _repair(site: Site) -> Iterator[Finding]:
    problems: list[str] = []
    gone = repair.settle(site, problems.append)
    repair.settle_afar(site, problems.append)
    yield OK, f"{len(gone)} jobs without worker ended"
    for problem in [*problems, *erasing.finish_afar(site)]:
        yield WARNING, problem
    found = presence.look(site)
    if presence.note(site, found):
        for one in found:
            if one.found is not one.known:
                yield OK, f"{one.saveset} is {one.found} now: {one.why}"


def _delete_unknown(site: Site) -> Iterator[Finding]:
    found = strays.find(site)
    left = strays.remove(site, found) if found else []
    gone = counted(len(found) - len(left), "unknown saveset")
    yield OK, f"{gone} removed"


def _catalog(site: Site) -> Iterator[Finding]:
    for problem in checks.problems(site.catalog):
        yield ERROR, problem


def _rights(site: Site) -> Iterator[Finding]:
    stores = [one.path for one in drives.list_stores() if not one.rds]
    own = [site.path(name) for name in ("var", *DIRECTORIES) if name != "store"]
    # A site of an earlier release has no place for scripts, and need not have one.
    optional = {*stores, site.path("etc/interface.d")}
    for path in dict.fromkeys([site.root, *own, *stores]):
        yield from _private(path, 0o700, missing=path not in optional)
    files = [one for top in ("var/db", "etc/keys") for one in _files(site.path(top))]
    if site.catalog.is_sqlite:
        path = sqlite_path(site.catalog.url)
        files += [path, path + "-wal", path + "-shm"]
    for path in dict.fromkeys(files):
        yield from _private(path, 0o600, missing=False)


def _private(path: str, mode: int, *, missing: bool) -> Iterator[Finding]:
    """Look whether others may do anything with a path; missing -- it must be there."""
    try:
        found = os.stat(path).st_mode
    except OSError as error:
        if missing:
            yield ERROR, f'"{path}": {error.strerror}'
        return
    if found & 0o077:
        what = "enter" if stat.S_ISDIR(found) else "open"
        yield WARNING, f'others may {what} "{path}": chmod {mode:o} {path}'


def _files(directory: str) -> list[str]:
    try:
        return [one.path for one in os.scandir(directory) if one.is_file()]
    except OSError:
        return []  # that it is not there has been said


def _keys(site: Site) -> Iterator[Finding]:
    for problem in keys.problems(site):
        yield WARNING, problem


def _stores(site: Site) -> Iterator[Finding]:
    for one in fullness.stores(site):
        if one.rds:
            yield OK, f'data store "{one.name}" lies on client "{one.rds}"'
        elif one.problem:
            yield ERROR, one.problem
        else:
            state = WARNING if one.is_near_full else OK
            said = f"{one.used_percent} % of its disk is used"
            yield state, f'data store "{one.name}": {said}'


def _jobs(site: Site) -> Iterator[Finding]:
    for job in jobs.active_jobs():
        holder = jobs.owner_of(job.worker)
        if holder is None or owner.is_alive(holder) is False:
            yield WARNING, f"job {job.id} has no worker: sm_setup check --repair"


def _claims(site: Site) -> Iterator[Finding]:
    for saveset, media, job_id in saveset_claims.dead_claims():
        where = ", ".join(media)
        yield (
            WARNING,
            f"job {job_id} left {saveset} unfinished in {where}:"
            " sm_setup check --repair",
        )


def _copies(site: Site) -> Iterator[Finding]:
    """Say which copies cannot be read whole: lost now, or found damaged by verify."""
    looked_at = {one.copy: one for one in presence.look(site)}
    for saveset in holdings():
        for copy in saveset.copies:
            seen = looked_at.get(copy.id)
            state = seen.found if seen else copy.state
            if state in (CopyState.MISSING, CopyState.DAMAGED):
                why = seen.why if seen else f"it was found {state}"
                yield ERROR, f"{saveset.name} is {state}: {why}"


def _unknown(site: Site) -> Iterator[Finding]:
    for one in strays.find(site):
        yield WARNING, one.text()


def _tombstones(site: Site) -> Iterator[Finding]:
    """Say what is forgotten and waits for its store: no fault, as long as it is out."""
    waiting = Counter(", ".join(media) for _, _, media in savesets.open_tombstones())
    for media, number in sorted(waiting.items()):
        yield OK, f"{counted(number, 'saveset')} still to be removed from {media}"


def _clock(site: Site) -> Iterator[Finding]:
    reason = clockwatch.paused(site)
    if reason:
        yield WARNING, f"deletions are paused: {reason}: {clockwatch.CONFIRM}"


def _newday(site: Site) -> Iterator[Finding]:
    if not settings.newday_is_on():
        yield ERROR, "NEWDAY is switched off: nothing is ever deleted"


_QUESTIONS: dict[str, Callable[[Site], Iterator[Finding]]] = {
    "catalog": _catalog,
    "rights": _rights,
    "keys": _keys,
    "stores": _stores,
    "jobs": _jobs,
    "claims": _claims,
    "copies": _copies,
    "unknown": _unknown,
    "tombstones": _tombstones,
    "clock": _clock,
    "newday": _newday,
}
