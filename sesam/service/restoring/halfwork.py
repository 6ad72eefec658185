"""The process that restores the later half of a listing.

It is told an `Order` on stdin. In front of stdout stand its counts so far, behind them
the records of what could not be restored.
"""

import os
import struct
import sys
from collections.abc import Callable, Sequence

from sesam.client.destination import Destination
from sesam.crypt.keys import Identity, parse_identities
from sesam.device.directory import DirectoryStore, FileBlob
from sesam.device.joined import JoinedBlob
from sesam.errors import Damaged
from sesam.ports import Blob
from sesam.saveset.listing import NAME, encode
from sesam.saveset.listread import Reading
from sesam.saveset.parts import AGE, segment_name
from sesam.saveset.reader import FramedBlob, listing_text, open_part
from sesam.service.fetching.links import FirstNames
from sesam.service.fetching.members import Members
from sesam.service.fetching.shelf import Shelf
from sesam.service.ground import records
from sesam.service.ground.helper import end_with_parent
from sesam.service.restoring import order as orders
from sesam.service.restoring.order import Order
from sesam.service.restoring.placing import Counts, Placing
from sesam.terms import Piece

# Objects written, their bytes, objects left as they were; whether a directory could
# not be finished.
COUNTS = struct.Struct("<QQQ?")
# The line of a name that is left to the other process.
LATE = b"h"
_TOLD_EVERY = 64


class _Stores:
    """Opens the pieces of an order."""

    def __init__(self, order: Order) -> None:
        self._stores = {
            name: DirectoryStore(name, path, order.site)
            for name, path in order.stores.items()
        }

    def open_piece(self, piece: Piece) -> Blob:
        return self._stores[piece.place.store].open(piece.place.key)

    def close(self) -> None:
        """Nothing is held."""


class _Saveset:
    """A saveset of which the pieces are known."""

    def __init__(
        self, pieces: Sequence[Piece], stores: _Stores, identities: Sequence[Identity]
    ) -> None:
        self._pieces, self._stores = pieces, stores
        self._identities = identities

    def open_segment(
        self, number: int, opened: Callable[[Blob, str], FramedBlob] | None
    ) -> FramedBlob:
        bare = segment_name(number)
        found = [one for one in self._pieces if one.part in (bare, bare + AGE)]
        if not found:
            raise Damaged(f'there is no part "{bare}"')
        stored = JoinedBlob(found, self._stores)
        return open_part(stored, found[0].part, self._identities, opened)

    def close(self) -> None:
        """Nothing is held."""


def main() -> None:
    """Restore, and write down what becomes of it; a failure is an exit code alone."""
    end_with_parent()
    order = orders.decode(sys.stdin.buffer.read())
    file = sys.stdout.buffer
    file.write(bytes(COUNTS.size))
    # At once: written later it would lie over the counts.
    file.flush()

    def report(path: bytes, why: str) -> None:
        records.write(file, records.REPORT, records.remark(path, why))

    destination = Destination(
        order.target, existing=order.existing, numeric=order.numeric, report=report
    )
    destination.go_by(order.way)
    with _shelf(order) as shelf, FirstNames() as firsts:
        placing = Placing(
            Members(shelf),
            destination,
            firsts=firsts,
            report=report,
            partial=order.partial,
        )
        part = FramedBlob(FileBlob(order.listing), NAME)
        lines = Reading(listing_text(part, order.frame), source={}).objects()
        parted = set(map(tuple, order.parted))
        for number, line in enumerate(lines):
            if "h" in line.flags and (line.device, line.inode) in parted:
                destination.leave_open(line.path.strip(b"/"))
                records.write(file, LATE, encode(line))
                continue
            placing.put(line)
            if number % _TOLD_EVERY == 0:
                _tell(file.fileno(), placing.counts, failed=False)
    destination.close()
    _tell(file.fileno(), placing.counts, failed=destination.has_failed)
    file.flush()
    # Nothing is left to be tidied up: the time for it is the other process's.
    os._exit(0)


def _tell(fd: int, counts: Counts, *, failed: bool) -> None:
    told = COUNTS.pack(counts.files, counts.bytes, counts.skipped, failed)
    os.pwrite(fd, told, 0)


def _shelf(order: Order) -> Shelf:
    identities = parse_identities("\n".join(order.secrets)) if order.secrets else []
    stores = _Stores(order)
    known = {
        name: _Saveset(pieces, stores, identities) for name, _, pieces in order.chain
    }

    def reach(name: str) -> _Saveset:
        if name not in known:
            raise Damaged(f'saveset "{name}" is not known')
        return known[name]

    sizes = {name: size for name, size, _ in order.chain}
    return Shelf(order.chain[-1][0], sizes, reach)


if __name__ == "__main__":
    main()
