"""The source: reads a tree and sends it as parts of a saveset, whoever takes them.

What it is told is a SourceJob, what it sends goes to an Outlet: the mover in the same
process, or a pipe. It knows no catalog and no device, so that it runs on the client.
"""

import os
from collections.abc import Callable
from time import monotonic

from sesam.client.walk import Walk
from sesam.errors import SourceUnreadable
from sesam.ports import Blob, Outlet
from sesam.rules.exclude import compile_excludes
from sesam.saveset.listing import NAME
from sesam.saveset.listread import Reading
from sesam.saveset.parts import ListingWriter, PartStream, SegmentWriter
from sesam.saveset.reader import FramedBlob, listing_text
from sesam.saveset.tarhead import END
from sesam.service.sending.base import Base
from sesam.service.sending.merge import Merge
from sesam.service.sending.objects import ObjectWriter, ToldToStop
from sesam.service.sending.pen import Pen
from sesam.service.sending.sourcejob import SourceJob
from sesam.terms import State

_LOOK_EVERY = 256
_TALLY_S = 0.2


class Source:
    """One run over the sources of a job.

    stopped -- asked now and then whether to stop: the tar is then closed in good order
    and the end says `cancelled`
    base -- the listing that the job's DIFF or INCR builds on, in clear
    """

    def __init__(
        self,
        job: SourceJob,
        outlet: Outlet,
        *,
        stopped: Callable[[], bool] = lambda: False,
        base: Blob | None = None,
    ) -> None:
        self._job = job
        self._base_listing = base
        self._base: Base | None = None
        self._outlet = outlet
        self._stopped = stopped
        self._warnings = 0
        self._bad_sources: dict[bytes, str] = {}
        self._tallied_at = monotonic()

    def run(self) -> None:
        """Send everything, `end` included.

        Raises SourceUnreadable when not a single source can be read: then nothing may
        be committed.
        """
        job, outlet = self._job, self._outlet
        outlet.start(
            {
                "source": job.definition(),
                "digest": job.definition_digest(),
                "recipients": list(job.recipients),
                "base": job.base,
            }
        )
        parts = PartStream(outlet, job.recipients)
        tar = SegmentWriter(
            parts, segment_bytes=job.segment_bytes, zstd_level=job.zstd_level
        )
        listing = ListingWriter(job.definition())
        base = FramedBlob(self._base_listing, NAME) if self._base_listing else None
        pen = Pen(tar, listing, self._report)
        try:
            objects = ObjectWriter(pen, self._stopped)
            if base is not None:
                self._base = self._open_base(base, listing)
            done = self._walk(objects, pen, listing)
            self._refuse_nothing(listing.objects)
            tar.add(END)
            tar.finish()
            listing.finish(parts, outlet, encrypted=bool(job.recipients))
        finally:
            tar.close()
            listing.close()
            pen.links.close()
            if base is not None:
                base.close()
        state = State.WARNING if self._warnings else State.OK
        outlet.end(
            {
                "state": (state if done else State.CANCELLED).value,
                "files": listing.objects,
                "changed": pen.saved,
                "deleted": listing.deleted,
                "bytes": pen.size_bytes,
                "skipped": objects.skipped,
                "warnings": self._warnings,
            }
        )

    def _open_base(self, part: FramedBlob, listing: ListingWriter) -> Base:
        return Base(
            self._job.base,
            Reading(listing_text(part)),
            self._job.definition(),
            keep=listing.add,
            gone=listing.gone,
        )

    def _walk(self, objects: ObjectWriter, pen: Pen, listing: ListingWriter) -> bool:
        """Save every object that the base has not as it is; False when told to stop."""
        job = self._job
        excludes = compile_excludes(job.excludes) if job.excludes else None
        walk = Walk(
            job.sources,
            self._report,
            self._note,
            self._unread,
            exclude=excludes.matches if excludes else None,
            exclude_caches=job.exclude_caches,
            exclude_if_present=[os.fsencode(one) for one in job.exclude_if_present],
            one_file_system=job.one_file_system,
            own=_identities(job.own),
            stores=job.pass_stores,
        )
        save = objects.save_all
        if self._base is not None:
            save = Merge(self._base, objects, listing).save_all
        since = 0
        try:
            for found in walk:
                save(*found)
                since += len(found[2])
                if since >= _LOOK_EVERY:
                    since = 0
                    if self._stopped():
                        return False
                    self._tally(listing.objects, pen.size_bytes)
        except ToldToStop:
            return False
        if self._base is not None:
            self._base.finish()
        self._outlet.tally(listing.objects, pen.size_bytes)
        return not self._stopped()

    def _tally(self, files: int, size_bytes: int) -> None:
        now = monotonic()
        if now - self._tallied_at >= _TALLY_S:
            self._tallied_at = now
            self._outlet.tally(files, size_bytes)

    def _report(self, path: bytes, why: str) -> None:
        self._warnings += 1
        if path in self._job.sources:
            self._bad_sources[path] = why
        self._outlet.warning(path, why)

    def _note(self, path: bytes, why: str) -> None:
        self._outlet.note(path, why)

    def _unread(self, path: bytes, why: str) -> None:
        if self._base is not None:
            self._base.keep_below(path)
            why += "; what the base has of it stays"
        self._report(path, why)

    def _refuse_nothing(self, objects: int) -> None:
        if objects:
            return
        reasons = [
            f'"{os.fsdecode(path)}": {why}' for path, why in self._bad_sources.items()
        ]
        raise SourceUnreadable(
            f"no source can be read: {'; '.join(reasons) or 'all is excluded'}",
            hint="sm_task modify NAME --source PATH names others",
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
