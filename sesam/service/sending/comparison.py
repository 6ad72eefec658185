"""A DIFF or INCR: the walk beside the listing of the base, in one half or two."""

import os
from collections.abc import Callable, Iterable, Iterator

from sesam.client.reach import reach
from sesam.client.walk import Found, Report, reason
from sesam.ports import Blob
from sesam.rules.paths import is_below, roots
from sesam.saveset.listing import NAME
from sesam.saveset.listread import Reading
from sesam.saveset.parts import ListingWriter
from sesam.saveset.reader import FramedBlob, listing_text
from sesam.service.ground import records
from sesam.service.sending.base import Base
from sesam.service.sending.halves import Halves
from sesam.service.sending.merge import Merge
from sesam.service.sending.objects import ObjectWriter
from sesam.service.sending.sourcejob import SourceJob

# Records of the other process that are taken over between two looks around.
_LOOK_EVERY = 64


class Comparison:
    """Saves of a walk what is not as the base has it.

    remarks -- `report`, `note` and `unread` of the walk
    base -- to be finished when the walk has come to its end
    look -- called now and then; raises where the source is to stop
    guarded -- makes of a remark of the walk one that nothing is said by twice
    Raises UnknownFormat where the listing is of another source definition.
    """

    def __init__(
        self,
        job: SourceJob,
        base_listing: Blob,
        objects: ObjectWriter,
        listing: ListingWriter,
        remarks: tuple[Report, Report, Report],
        look: Callable[[], object],
    ) -> None:
        self._sources = roots(job.sources)
        self._listing, self._look = listing, look
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
        self.guarded = self._halves.guarded

    def __enter__(self) -> "Comparison":
        return self

    def __exit__(self, *error: object) -> None:
        self._halves.close()
        self._part.close()

    def here(self, walk: Iterable[Found]) -> Iterator[Found]:
        """Yield of a walk what is to be looked at by this process."""
        return self._halves.here(walk, self.base, self._replay, self._look)

    def _replay(self, found: Iterator[tuple[bytes, bytes]]) -> None:
        """Take over what the other process has found, and save what it has not."""
        for number, (kind, data) in enumerate(found):
            if not number % _LOOK_EVERY:
                self._look()
            if kind == records.LINES:
                self._listing.add_text(data, data.count(b"\n"))
            elif kind == records.GONE:
                self._listing.gone(data)
            elif kind in self._remarks:
                self._remarks[kind](*records.remarked(data))
            else:
                self._save(data[:1], data[1:], known=kind == records.KNOWN)

    def _save(self, letter: bytes, path: bytes, *, known: bool) -> None:
        """Save an object that the other process has seen as of the type `letter`."""
        source = next(one for one in self._sources if is_below(path, one))

        def take(
            path: bytes, fd: int, name: bytes, found: os.stat_result | None
        ) -> None:
            if records.letter_of(found) == letter:
                self._merge.save(path, fd, name, found, known=known)
            else:
                lost("was replaced by another type of object")

        def lost(why: str) -> None:
            self._remarks[records.REPORT](path, why)
            if known:
                self._listing.gone(path)

        try:
            reach(source, path, take)
        except OSError as error:
            lost(reason(error))
