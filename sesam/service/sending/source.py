"""The source: reads a tree and sends it as parts of a saveset, whoever takes them.

What it is told is a SourceJob, what it sends goes to an Outlet: the mover in the same
process, or a pipe. It knows no catalog and no device, so that it runs on the client.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from sesam.client.walk import Found, Report
from sesam.errors import SourceUnreadable
from sesam.ports import Blob, Outlet
from sesam.saveset.parts import ListingWriter, PartStream, SegmentWriter
from sesam.saveset.tarhead import END
from sesam.service.sending.base import Base
from sesam.service.sending.comparison import Comparison
from sesam.service.sending.objects import ObjectWriter, ToldToStop
from sesam.service.sending.pen import Pen
from sesam.service.sending.sourcejob import SourceJob
from sesam.service.sending.walking import walk_of
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
        pen = Pen(tar, listing, self._report)
        try:
            objects = ObjectWriter(pen, self._stopped)

            def look() -> None:
                if self._stopped():
                    raise ToldToStop
                self._tally(listing.objects, pen.size_bytes)

            with self._compared(objects, listing, look) as compared:
                done = self._walk(compared, look)
            outlet.tally(listing.objects, pen.size_bytes)
            self._refuse_nothing(listing.objects)
            tar.add(END)
            tar.finish()
            listing.finish(parts, outlet, encrypted=bool(job.recipients))
        finally:
            tar.close()
            listing.close()
            pen.links.close()
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

    @contextmanager
    def _compared(
        self,
        objects: ObjectWriter,
        listing: ListingWriter,
        look: Callable[[], object],
    ) -> Iterator[Comparison | ObjectWriter]:
        if self._base_listing is None:
            yield objects
            return
        remarks = self._report, self._note, self._unread
        with Comparison(
            self._job, self._base_listing, objects, listing, remarks, look
        ) as compared:
            self._base = compared.base
            yield compared

    def _walk(
        self, saving: Comparison | ObjectWriter, look: Callable[[], object]
    ) -> bool:
        """Save every object that the base has not as it is; False when told to stop."""
        remarks: list[Report] = [self._report, self._note, self._unread]
        if isinstance(saving, Comparison):
            remarks = [saving.guarded(one) for one in remarks]
        report, note, unread = remarks
        walk: Iterable[Found] = walk_of(
            self._job, report=report, note=note, unread=unread
        )
        if isinstance(saving, Comparison):
            walk = saving.here(walk)
        since = 0
        try:
            for found in walk:
                saving.save_all(*found)
                since += len(found[2])
                if since >= _LOOK_EVERY:
                    since = 0
                    look()
        except ToldToStop:
            return False
        if self._base is not None:
            self._base.finish()
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
