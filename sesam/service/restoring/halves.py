"""A restore in two halves: the later one is restored by a process of its own.

The directories that both halves lie in are made before, and finished here. Names that
are there of objects restored here come when both are done. What the process does not
come to its end with is restored here, as by a restore that is run again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate

from sesam.catalog import drives
from sesam.catalog.savesets import pieces_of_all
from sesam.client.destination import Destination
from sesam.device.directory import FileBlob
from sesam.errors import Damaged, SesamError, UnsafePath
from sesam.rules.records import Saveset
from sesam.saveset.listing import Line, decode
from sesam.saveset.middle import (
    Middle,
    directories_in,
    is_worth,
    middle_of,
    parted_groups,
)
from sesam.saveset.reader import FramedBlob
from sesam.service.fetching.choice import Wish
from sesam.service.fetching.reading import StoredSaveset
from sesam.service.fetching.rows import best_copy
from sesam.service.ground import records
from sesam.service.ground.helper import Helper
from sesam.service.ground.site import Site
from sesam.service.restoring import order as orders
from sesam.service.restoring.halfwork import COUNTS, LATE
from sesam.service.restoring.order import Order
from sesam.service.restoring.placing import Counts, Report

_MODULE = "sesam.service.restoring.halfwork"
_LONGEST_PATH = 4096


class Halves:
    """What is restored here and what elsewhere; close it when done.

    report -- as of Destination; said -- takes a sentence for the log
    late -- names that the process has left, in walk order; way -- the directories
    that both halves lie in, the target aside; failed -- it could not finish all of its
    directories
    """

    def __init__(
        self, destination: Destination, report: Report, said: Callable[[str], object]
    ) -> None:
        self._destination = destination
        self._report, self._said = report, said
        self.way: list[bytes] = []
        self.late: list[Line] = []
        self.failed = False
        self._middle: Middle | None = None
        self.later: Helper | None = None

    def __enter__(self) -> "Halves":
        return self

    def __exit__(self, *error: object) -> None:
        if self.later is not None:
            self.later.close()

    def begin(self, order: Order | None) -> None:
        """Start the process where two are faster than one."""
        if order is None:
            return
        with suppress(OSError, SesamError):
            part = FramedBlob(FileBlob(order.listing), os.path.basename(order.listing))
            try:
                middle = _middle(part)
                parted = parted_groups(part, middle.frame) if middle else None
                if middle is None or parted is None:
                    return
                way = middle.path.strip(b"/").rpartition(b"/")[0]
                self.way = list(accumulate(way.split(b"/"), _joined)) if way else []
                steps = [b"/" + one for one in self.way]
                known = directories_in(part, middle.frame, steps)
            finally:
                part.close()
            self._destination.make_way(way, {one[1:] for one in known})
            told = replace(order, frame=middle.frame, way=way, parted=list(parted))
            self.later = Helper(_MODULE, orders.encode(told))
            self._middle = middle

    def here(
        self, lines: Iterator[tuple[Line, bool]], look: Callable[[], object]
    ) -> Iterator[tuple[Line, bool]]:
        """Yield of all lines those that are to be restored here.

        At the middle, where the process has come to its end, that is all; where it has
        failed, the lines go on. look -- called while waiting; may raise
        """
        middle, later = self._middle, self.later
        for line, asked in lines:
            if middle is not None and later is not None and line.path == middle.path:
                if later.has_ended_well(look):
                    self._take(later)
                    return
                self.later = middle = None
                later.close()
                self._said("the process for the later half failed: it is done here")
            yield line, asked
        if middle is not None and later is not None:
            raise Damaged("the listing has changed while it was read: run it again")

    def finish(self, place: Callable[[Line], object], late: Destination) -> None:
        """Place the names that the process has left; place -- one of them.

        late -- the same target once more: where the restore is it stays meanwhile
        """
        for line in self.late:
            path = line.path.strip(b"/")
            try:
                with late.reopened(path):
                    place(line)
            except (OSError, UnsafePath) as error:
                self._report(path, f"cannot be restored: {error}")
        if self.failed:
            self._destination.unfinished()
            return
        paths = [line.path.strip(b"/") for line in self.late]
        try:
            late.unmark(paths, self.way)
        except OSError as error:
            self._report(b"", f"the marks of what was restored stay: {error}")

    def counts(self) -> Counts:
        """Return what the process has done so far."""
        if self.later is None:
            return Counts()
        told = os.pread(self.later.found.fileno(), COUNTS.size, 0)
        if len(told) < COUNTS.size:
            return Counts()
        files, size, skipped, self.failed = COUNTS.unpack(told)
        return Counts(files, size, skipped)

    def _take(self, later: Helper) -> None:
        """Say what the process had to say."""
        later.found.seek(COUNTS.size)
        for kind, told in records.read(later.found):
            if kind == LATE:
                self.late.append(decode(told.rstrip(b"\n")))
            else:
                self._report(*records.remarked(told))


def order_for(
    site: Site, wish: Wish, stored: StoredSaveset, chain: Sequence[Saveset]
) -> Order | None:
    """Return the order for a half of a restore; None where it cannot be parted.

    That is so for a few paths, for what lies on tapes or on other machines, and where
    the listing cannot be kept here. Raises NoIdentity, DeviceError.
    """
    if wish.paths:
        return None
    if not all(one.copies for one in chain):
        return None
    copies = {one.name: best_copy(one).id for one in chain}
    pieces = pieces_of_all(list(copies.values()))
    names = {one.place.store for found in pieces.values() for one in found}
    if "" in names:
        return None
    stores = [drives.get_store(name) for name in names]
    if any(store.rds for store in stores):
        return None
    try:
        listing = stored.listing_file()
    except (OSError, Damaged):
        return None  # reading it goes on without a copy
    return Order(
        target=wish.target,
        existing=wish.existing,
        numeric=wish.numeric_owners,
        partial=wish.partial,
        listing=listing,
        frame=0,
        way=b"",
        parted=(),
        site=site.id,
        stores={store.name: store.path for store in stores},
        chain=[(one.name, one.stored_bytes, pieces[copies[one.name]]) for one in chain],
        secrets=[one.secret for one in stored.identities()],
    )


def _middle(part: FramedBlob) -> Middle | None:
    found = middle_of(part, part.table.frames // 2) if is_worth(part) else None
    # All that leads to it is held in memory.
    return found if found and len(found.path) <= _LONGEST_PATH else None


def _joined(above: bytes, name: bytes) -> bytes:
    return above + b"/" + name
