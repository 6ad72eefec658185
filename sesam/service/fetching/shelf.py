"""The savesets that one listing points to: each opened once, read side by side.

A tree out of a chain is restored in walk order, and in walk order each saveset of the
chain is read forward: so each keeps the one frame it is at, and no frame is
decompressed twice. What all of them hold together is bounded.
"""

from collections import OrderedDict

from sesam.catalog import savesets
from sesam.errors import SesamError
from sesam.saveset.reader import FramedBlob
from sesam.service.fetching.reading import StoredSaveset

_HELD_LIMIT = 40 << 20
# So many are read ahead of; a chain of more has enough to do side by side.
_AHEAD_UP_TO = 4


class Shelf:
    """Opens segments of any saveset of a chain; `own` is the one restored."""

    def __init__(self, own: StoredSaveset) -> None:
        self._own = own
        self._opened: dict[str, StoredSaveset] = {own.saveset.name: own}
        self._lost: dict[str, SesamError] = {}
        self._segments: OrderedDict[tuple[str, int], FramedBlob] = OrderedDict()
        self._last: tuple[str, int] | None = None
        # What each holds, as of when it was last turned away from, and the sum of it.
        self._sizes: dict[tuple[str, int], int] = {}
        self._held = 0

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(self, *error: object) -> None:
        for segment in self._segments.values():
            segment.close()
        for one in self._opened.values():
            if one is not self._own:
                one.close()

    def segment(self, saveset: str, number: int) -> FramedBlob:
        """Return the plain bytes of a data segment; "" = of the own saveset.

        Raises NotFound, NoIdentity, Damaged, DeviceError: of a saveset that cannot be
        opened each time anew.
        """
        key = saveset, number
        found = self._segments.get(key)
        if found is None:
            found = self._open(saveset, number)
            self._segments[key] = found
        if key != self._last:
            self._segments.move_to_end(key)
            # Only the one used last can have read on meanwhile.
            if self._last is not None and self._last in self._segments:
                self._note(self._last)
            if self._held > _HELD_LIMIT:
                self._bound(key)
            self._last = key
        return found

    def _note(self, key: tuple[str, int]) -> None:
        size = self._segments[key].held
        self._held += size - self._sizes.get(key, 0)
        self._sizes[key] = size

    def _open(self, saveset: str, number: int) -> FramedBlob:
        """Open a segment; the one of the same saveset before it is done with."""
        for key in [one for one in self._segments if one[0] == saveset]:
            self._segments.pop(key).close()
            self._held -= self._sizes.pop(key, 0)
        stored = self._stored(saveset or self._own.saveset.name)
        ahead = len(self._segments) < _AHEAD_UP_TO
        return stored.open_segment(number, ahead=ahead)

    def _stored(self, name: str) -> StoredSaveset:
        if name in self._lost:
            raise self._lost[name]
        if name not in self._opened:
            try:
                self._opened[name] = self._own.beside(savesets.get_saveset(name))
            except SesamError as error:
                self._lost[name] = error
                raise
        return self._opened[name]

    def _bound(self, using: tuple[str, int]) -> None:
        """Keep what is held below the limit: first what has been read goes."""
        for key, one in self._segments.items():
            if key != using and one.trim():
                self._note(key)
        for key, one in self._segments.items():
            if self._held <= _HELD_LIMIT * 3 // 4:
                break
            if key != using and one.forget():
                self._note(key)
