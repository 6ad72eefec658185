"""A part as one run of bytes, whatever pieces it lies in."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from sesam.errors import Damaged, NotFound
from sesam.ports import Blob, PieceReader
from sesam.terms import Piece


class JoinedBlob:
    """The pieces of one part, in order, as a Blob; one of them is open at a time.

    Raises Damaged where a piece is missing, or shorter than catalogued.
    """

    def __init__(self, pieces: Sequence[Piece], reader: PieceReader) -> None:
        self._pieces = list(pieces)
        self._reader = reader
        for number, piece in enumerate(self._pieces, 1):
            if piece.number != number:
                raise Damaged(f'piece {number} of "{piece.part}" is not known')
        self._ends = list(accumulate(piece.size_bytes for piece in self._pieces))
        self._open: Blob | None = None
        self._at = -1

    @property
    def size(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read_at(self, offset: int, length: int) -> bytes:
        found = b""
        while length > 0 and offset < self.size:
            number = bisect_right(self._ends, offset)
            begin = self._ends[number] - self._pieces[number].size_bytes
            want = min(length, self._ends[number] - offset)
            more = self._piece(number).read_at(offset - begin, want)
            if len(more) < want:
                piece = self._pieces[number]
                raise Damaged(
                    f'"{piece.part}" is shorter than the {piece.size_bytes} bytes'
                    f" of its piece {piece.number}"
                )
            found = found + more if found else more
            offset += want
            length -= want
        return found

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
            self._at = -1

    def _piece(self, number: int) -> Blob:
        if number != self._at or self._open is None:
            self.close()
            piece = self._pieces[number]
            try:
                self._open = self._reader.open_piece(piece)
            except NotFound as error:
                raise Damaged(
                    f'piece {piece.number} of "{piece.part}" is missing: {error}'
                ) from error
            self._at = number
        return self._open
