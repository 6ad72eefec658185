"""A DIFF or INCR: the walk beside the listing of the base, in one half or two."""

from collections.abc import Callable, Iterable, Iterator

from sesam.client.reach import reach
from sesam.client.walk import Found, Report, reason
from sesam.ports import Blob
from sesam.rules.paths import is_below, roots
from sesam.saveset.listing import NAME
from sesam.saveset.listread import Reading
from sesam.saveset.parts import ListingWriter
from sesam.saveset.reader import FramedBlob, listing_text
from sesam.service.sending import records
from sesam.service.sending.base import Base
from sesam.service.sending.halves import Halves
from sesam.service.sending.merge import Merge
from sesam.service.sending.objects import ObjectWriter
from sesam.service.sending.sourcejob import SourceJob


class Comparison:
    """Saves of a walk what is not as the base has it.

    remarks -- `report`, `note` and `unread` of the walk
    base -- to be finished when the walk has come to its end
    Raises UnknownFormat where the listing is of another source definition.
    """

    def __init__(
        self,
        job: SourceJob,
        base_listing: Blob,
        objects: ObjectWriter,
        listing: ListingWriter,
        remarks: tuple[Report, Report, Report],
        stopped: Callable[[], bool],
    ) -> None:
        self._sources = roots(job.sources)
        self._listing, self._stopped = listing, stopped
        self._remarks = dict(
            zip((records.REPORT, records.NOTE, records.UNREAD), remarks, strict=True)
        )
        self._part = FramedBlob(base_listing, NAME)
        self._halves = Halves(job, base_listing, self._part)
        try:
            reading = Reading(listing_text(self._part))
            self.base = Base(
                job.base,
                reading,
                job.definition(),
                self._halves.lines(reading.raw()),
                keep=listing.add,
                gone=listing.gone,
            )
        except BaseException:
            self.__exit__()
            raise
        self._merge = Merge(self.base, objects.save, listing)
        self.save_all = self._merge.save_all

    def __enter__(self) -> "Comparison":
        return self

    def __exit__(self, *error: object) -> None:
        self._halves.close()
        self._part.close()

    def here(self, walk: Iterable[Found]) -> Iterator[Found]:
        """Yield of a walk what is to be looked at by this process."""
        return self._halves.here(walk, self.base, self._replay, self._stopped)

    def _replay(self, found: Iterator[tuple[bytes, bytes]]) -> None:
        """Take over what the other process has found, and save what it has not."""
        for kind, data in found:
            if kind == records.LINES:
                self._listing.add_text(data, data.count(b"\n"))
            elif kind == records.GONE:
                self._listing.gone(data)
            elif kind in self._remarks:
                self._remarks[kind](*records.remarked(data))
            else:
                self._save(data, known=kind == records.KNOWN)

    def _save(self, path: bytes, *, known: bool) -> None:
        source = next(one for one in self._sources if is_below(path, one))
        try:
            reach(
                source,
                path,
                lambda *of_object: self._merge.save(*of_object, known=known),
            )
        except OSError as error:
            self._remarks[records.REPORT](path, reason(error))
            if known:
                self._listing.gone(path)
