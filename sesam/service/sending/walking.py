"""The walk that a job asks for."""

import os

from sesam.client.walk import Report, Walk
from sesam.rules.exclude import compile_excludes
from sesam.service.sending.sourcejob import SourceJob


def walk_of(
    job: SourceJob, *, report: Report, note: Report, unread: Report, begin: bytes = b""
) -> Walk:
    """Return the walk over the sources of a job; the rest is as Walk has it."""
    excludes = compile_excludes(job.excludes) if job.excludes else None
    return Walk(
        job.sources,
        report,
        note,
        unread,
        exclude=excludes.matches if excludes else None,
        exclude_caches=job.exclude_caches,
        exclude_if_present=[os.fsencode(one) for one in job.exclude_if_present],
        one_file_system=job.one_file_system,
        own=_identities(job.own),
        stores=job.pass_stores,
        begin=begin,
    )


def _identities(paths: tuple[bytes, ...]) -> frozenset[tuple[int, int]]:
    """Return (device, inode) of the directories that exist."""
    found = set()
    for path in paths:
        try:
            one = os.stat(path)
        except OSError:
            continue  # not there, so the walk cannot come to it
        found.add((one.st_dev, one.st_ino))
    return frozenset(found)
