"""Reading a stored part once: its digests, while somebody reads what it holds."""

from collections.abc import Callable, Sequence

from sesam.digest import Digest
from sesam.ports import Blob
from sesam.terms import Piece

_READ_BYTES = 1 << 20


class OnePass:
    """A part's stored bytes as a Blob, which digests what is read from the front on.

    Whoever reads elsewhere, for a seek table, does no harm: only what follows on what
    was digested already counts. size, digest -- of the whole part so far
    """

    def __init__(
        self, blob: Blob, pieces: Sequence[Piece], count: Callable[[int], object]
    ) -> None:
        self._blob = blob
        self._sizes = [piece.size_bytes for piece in pieces]
        self._count = count
        self._pieces = [Digest() for _ in pieces]
        # The only piece of a part is the part: digested once.
        self._whole = Digest() if len(pieces) > 1 else self._pieces[0]
        self._number = self._into = 0
        self._seen = 0

    @property
    def size(self) -> int:
        return self._blob.size

    def read_at(self, offset: int, length: int) -> bytes:
        found = self._blob.read_at(offset, length)
        if offset <= self._seen < offset + len(found):
            self._digest(memoryview(found)[self._seen - offset :])
        return found

    def rest(self) -> tuple[list[str], str]:
        """Read what nobody has asked for; return the digests of pieces, and of all."""
        while self._seen < self.size:
            self.read_at(self._seen, _READ_BYTES)
        return [one.hexdigest() for one in self._pieces], self._whole.hexdigest()

    def close(self) -> None:
        self._blob.close()

    def _digest(self, data: memoryview) -> None:
        self._seen += len(data)
        self._count(len(data))
        if len(self._pieces) > 1:
            self._whole.update(data)
        while data:
            left = self._sizes[self._number] - self._into
            if not left:
                self._number, self._into = self._number + 1, 0
                continue
            some, data = data[:left], data[left:]
            self._pieces[self._number].update(some)
            self._into += len(some)
