"""The savesets that one listing points to: each opened once, read side by side.

A tree out of a chain is restored in walk order, and in walk order each saveset of the
chain is read forward: so each keeps the frame it is at, and no frame is decompressed
twice. The largest hold it in memory, the others, and the one behind it, in a temporary
file.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from sesam.errors import SesamError
from sesam.ports import Blob
from sesam.saveset.parking import ParkedBlob, Parking
from sesam.saveset.reader import FramedBlob

# So many savesets hold their frames in memory.
_IN_MEMORY = 4


class Segments(Protocol):
    """A saveset whose data segments can be opened."""

    def open_segment(
        self, number: int, opened: Callable[[Blob, str], FramedBlob] | None
    ) -> FramedBlob: ...
    def close(self) -> None: ...


class Shelf:
    """Opens segments of any saveset of a chain.

    own  -- name of the one that is restored: who opened it closes it
    sizes -- stored bytes of the savesets of the chain, by name
    reach -- opens a saveset by name; raises SesamError
    """

    def __init__(
        self, own: str, sizes: Mapping[str, int], reach: Callable[[str], Segments]
    ) -> None:
        self._own = own
        self._reach = reach
        largest = sorted(sizes, key=lambda one: sizes[one], reverse=True)
        self._parked = set(largest[_IN_MEMORY:])
        self._parking: Parking | None = None
        self._opened: dict[str, Segments] = {}
        self._lost: dict[str, SesamError] = {}
        self._segments: dict[str, tuple[int, FramedBlob]] = {}

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(self, *error: object) -> None:
        for _, segment in self._segments.values():
            segment.close()
        if self._parking is not None:
            self._parking.close()
        for name, one in self._opened.items():
            if name != self._own:
                one.close()

    def segment(self, saveset: str, number: int) -> FramedBlob:
        """Return the plain bytes of a data segment; "" = of the own saveset.

        Raises NotFound, NoIdentity, Damaged, DeviceError: of a saveset that cannot be
        opened each time anew.
        """
        found = self._segments.get(saveset)
        if found is not None and found[0] == number:
            return found[1]
        return self._open(saveset, number)

    def _open(self, saveset: str, number: int) -> FramedBlob:
        """Open a segment; the one of the same saveset before it is done with."""
        before = self._segments.pop(saveset, None)
        if before is not None:
            before[1].close()
        name = saveset or self._own
        opened = None
        if name in self._parked:
            if self._parking is None:
                self._parking = Parking()
            opened = partial(ParkedBlob, parking=self._parking)
        segment = self._stored(name).open_segment(number, opened)
        self._segments[saveset] = number, segment
        return segment

    def _stored(self, name: str) -> Segments:
        if name in self._lost:
            raise self._lost[name]
        if name not in self._opened:
            try:
                self._opened[name] = self._reach(name)
            except SesamError as error:
                self._lost[name] = error
                raise
        return self._opened[name]
