"""Reading a listing: one pass over its lines, and whether it is whole."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from sesam.errors import Damaged, UnknownFormat
from sesam.saveset.listing import HEAD, Line, decode, end, escape, is_gone

LINE_LIMIT = 8 << 20
_LAST_LINE = 64
_last_line = re.compile(rb"\n#end\t(\d+)\t(\d+)\n\Z")


def lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of plain listing text without their line ends, a list a chunk.

    Raises Damaged where the text ends within a line, or a line has no end.
    """
    rest = b""
    for chunk in chunks:
        whole = (rest + chunk).split(b"\n")
        rest = whole.pop()
        if len(rest) > LINE_LIMIT:
            raise Damaged("a line of the listing has no end")
        yield whole
    if rest:
        raise Damaged("the listing is cut off in the middle of a line")


class Reading:
    """One pass over a listing: its source, then its objects, then the deleted paths.

    text -- plain bytes of the listing in chunks. Raises UnknownFormat, Damaged; a
    listing that stops before its last line is Damaged.
    paths -- yield the lines at, below and on the way to these alone; none = all
    source -- where the text begins with a later line: what the first one says. Then
    nobody knows whether the lines are as many as the last one counts
    """

    def __init__(
        self,
        text: Iterable[bytes],
        paths: Sequence[bytes] = (),
        *,
        source: dict[str, object] | None = None,
    ) -> None:
        self._starts = _starts(paths)
        self._batches = lines(text)
        self._is_counted = source is None
        if source is not None:
            self.source, self._first = source, next(self._batches, [])
            return
        self._first = next(self._batches, [])
        while self._first == []:
            self._first = next(self._batches, [b""])
        self.source = _source(self._first.pop(0))

    def raw(self) -> Iterator[bytes]:
        """Yield the lines of objects as they are, without their line ends."""
        objects = deleted = 0
        batch: list[bytes] | None = self._first
        while batch is not None:
            # Paths begin with a slash, and objects come before what is deleted: the
            # last line of a batch tells that all are objects.
            if batch and batch[-1][:1] == b"/" and not is_gone(batch[-1]):
                objects += len(batch)
                yield from self._chosen(batch)
            else:
                for line in batch:
                    if line[:1] == b"#":
                        return self._ended(line, batch, objects, deleted)
                    if is_gone(line):
                        deleted += 1
                    else:
                        objects += 1
                        yield from self._chosen([line])
            batch = next(self._batches, None)
        raise Damaged("the listing ends before its last line")

    def _chosen(self, batch: list[bytes]) -> Iterable[bytes]:
        starts = self._starts
        if not starts:
            return batch
        return [line for line in batch if line.startswith(starts)]

    def objects(self) -> Iterator[Line]:
        """Yield the objects of the tree, in walk order."""
        return map(decode, self.raw())

    def _ended(
        self, line: bytes, batch: list[bytes], objects: int, deleted: int
    ) -> None:
        more = batch[-1] is not line or any(next(self._batches, []))
        if more or (self._is_counted and line != end(objects, deleted)[:-1]):
            raise Damaged("the listing holds other lines than its last one counts")


def _starts(paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return how the lines at, below and on the way to paths begin."""
    found = set()
    for path in paths:
        name = escape(path.rstrip(b"/"))
        found |= {name + b"\t", name + b"/"}
        while name:
            name = name.rpartition(b"/")[0]
            found.add((name or b"/") + b"\t")
    return tuple(sorted(found))


def check(text: Iterable[bytes]) -> None:
    """Raise UnknownFormat or Damaged where text is no whole listing.

    Counts lines and looks at the first and the last one: the lines between them are
    left to who reads them.
    """
    first, last, count = b"", b"", 0
    for chunk in text:
        if not count and len(first) < LINE_LIMIT:
            first += chunk
        count += chunk.count(b"\n")
        last = (last + chunk)[-_LAST_LINE:]
    _source(first.partition(b"\n")[0])
    found = _last_line.search(last)
    if found is None or int(found[1]) + int(found[2]) + 2 != count:
        raise Damaged("the listing is not whole")


def _source(line: bytes) -> dict[str, object]:
    if not line.startswith(b"#sesam-listing "):
        raise UnknownFormat("this is no listing of a saveset")
    if not line.startswith(HEAD):
        raise UnknownFormat("the listing has a format of a later release")
    try:
        source = json.loads(line[len(HEAD) :])
    except (ValueError, RecursionError) as error:
        raise Damaged("the first line of the listing cannot be read") from error
    if not isinstance(source, dict):
        raise Damaged("the first line of the listing holds no source definition")
    return source
