"""Which lines of a listing a restore takes: all, or those of chosen paths."""

import os
from collections.abc import Callable, Iterator, Sequence

from sesam.errors import NotFound
from sesam.rules.paths import is_below, normal
from sesam.saveset.listing import Line
from sesam.saveset.listread import Reading


class Asked:
    """What was asked for: objects at and below `paths`, everything without any."""

    def __init__(self, paths: Sequence[bytes]) -> None:
        self._wanted = tuple(normal(path) for path in paths)
        self._missing = set(self._wanted)

    def lines(
        self, listing: Callable[[Sequence[bytes]], Reading]
    ) -> Iterator[tuple[Line, bool]]:
        """Yield the lines that are asked for, and the directories that lead to them.

        listing -- opens it, for these paths; the flag says whether a line is asked for
        """
        if not self._wanted:
            for line in listing(()).objects():
                yield line, True
            return
        for line in listing(self._wanted).objects():
            hits = [one for one in self._wanted if is_below(line.path, one)]
            if hits:
                self._missing.difference_update(hits)
                yield line, True
            elif line.kind == "d" and any(
                is_below(one, line.path) for one in self._wanted
            ):
                yield line, False

    def refuse_missing(self, saveset: str) -> None:
        """Raise NotFound for the first path of which no line was found."""
        for path in sorted(self._missing):
            raise NotFound(
                f'saveset "{saveset}" holds no "{os.fsdecode(path)}"',
                hint=f"sm_backup files {saveset}",
            )
