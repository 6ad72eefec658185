"""What a restore would do with each object: it looks at the target, writes nothing."""

import os
import stat
from collections.abc import Callable

from sesam.client.descent import components_of, open_below
from sesam.client.dress import Dresser
from sesam.client.making import is_part_name, part_name
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.client.standing import content_is, look, looks_same
from sesam.errors import UnsafePath
from sesam.terms import Kind

# What becomes of an object where something stands: its stat, name and directory.
Stands = Callable[[os.stat_result, bytes, int], Outcome]


class Preview:
    """Tells the outcome of objects in walk order; as Destination would have it."""

    def __init__(self, target: bytes, *, existing: Existing, numeric: bool) -> None:
        self._existing = existing
        self._dresser = Dresser(numeric=numeric, complain=lambda path, why: None)
        self._target = target
        # The directory that was opened last; -1 where there is none.
        self._path: bytes | None = None
        self._fd = -1
        # Below it all is new: the directory itself is still to be made.
        self._made: bytes | None = None
        # First names that look the same and are written anew all the same.
        self._rewritten: set[bytes] = set()

    def outcome(self, obj: TreeObject, whole: Callable[[], TreeObject]) -> Outcome:
        """Return what would become of an object.

        obj -- what its line says of it; whole -- reads all of it, where that decides
        """

        def stands(found: os.stat_result, name: bytes, parent: int) -> Outcome:
            if obj.kind is Kind.DIRECTORY:
                return self._directory(obj, found, name, parent)
            return self._other(obj, whole, found, name, parent)

        return self._guarded(obj, stands)

    def link(self, obj: TreeObject, first: bytes) -> Outcome:
        """Return what would become of a further name of the object `first`."""

        def stands(found: os.stat_result, name: bytes, parent: int) -> Outcome:
            if self._is_first(obj, first, found):
                return Outcome.SAME
            same = looks_same(obj, found, name, parent)
            if self._existing is Existing.KEEP:
                return Outcome.SAME if same else Outcome.KEPT
            return self._replaced(obj, found, name, parent, same=same)

        outcome = self._guarded(obj, stands)
        return Outcome.LINKED if outcome is Outcome.WRITTEN else outcome

    def _is_first(self, obj: TreeObject, first: bytes, found: os.stat_result) -> bool:
        """Tell whether what stands is the first name's object, and that one stays."""
        directory, _, name = first.rpartition(b"/")
        if first in self._rewritten or self._is_below_made(first):
            return False
        parent = open_below(self._target, directory)
        try:
            source = look(name, parent)
            if source is None or not looks_same(obj, source, name, parent):
                return False
            return os.path.samestat(found, source)
        finally:
            os.close(parent)

    def close(self) -> None:
        """Give back what is open."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _guarded(self, obj: TreeObject, stands: Stands) -> Outcome:
        try:
            return self._outcome(obj, stands)
        except (OSError, UnsafePath, OverflowError, ValueError):
            return Outcome.FAILED

    def _outcome(self, obj: TreeObject, stands: Stands) -> Outcome:
        *above, name = components_of(obj.path) or [b""]
        if is_part_name(name):
            raise UnsafePath("its name is one that unfinished objects bear here")
        if self._is_below_made(obj.path):
            return Outcome.WRITTEN
        parent = self._open(b"/".join(above))
        found = look(name or b".", parent) if parent >= 0 else None
        if found is not None:
            return stands(found, name, parent)
        if obj.kind is Kind.DIRECTORY:
            self._made = obj.path
        return Outcome.WRITTEN

    def _directory(
        self, obj: TreeObject, found: os.stat_result, name: bytes, parent: int
    ) -> Outcome:
        if stat.S_ISDIR(found.st_mode):
            unfinished = name and look(part_name(name), parent) is not None
            keep = self._existing is Existing.KEEP and not unfinished
            return Outcome.SAME if keep or not name else Outcome.WRITTEN
        if self._stays(obj, found):
            return Outcome.KEPT
        self._made = obj.path
        return Outcome.WRITTEN

    def _other(
        self,
        obj: TreeObject,
        whole: Callable[[], TreeObject],
        found: os.stat_result,
        name: bytes,
        parent: int,
    ) -> Outcome:
        if looks_same(obj, found, name, parent):
            if self._existing is not Existing.OVERWRITE:
                return Outcome.SAME
            one = whole()
            if content_is(one, name, parent) and self._dresser.fits(
                one, found, name, parent
            ):
                return Outcome.SAME
            if found.st_nlink > 1:
                self._rewritten.add(obj.path)
            return Outcome.WRITTEN
        return self._replaced(obj, found, name, parent, same=False)

    def _replaced(
        self,
        obj: TreeObject,
        found: os.stat_result,
        name: bytes,
        parent: int,
        *,
        same: bool,
    ) -> Outcome:
        if not same and self._stays(obj, found):
            return Outcome.KEPT
        in_the_way = stat.S_ISDIR(found.st_mode) and os.listdir(
            b"/proc/self/fd/%d/%b" % (parent, name)
        )
        if in_the_way and self._existing is not Existing.RENAME:
            return Outcome.FAILED
        return Outcome.WRITTEN

    def _stays(self, obj: TreeObject, found: os.stat_result) -> bool:
        newer = found.st_mtime_ns >= obj.mtime_ns
        return self._existing is Existing.KEEP or (
            self._existing is Existing.OLDER and newer
        )

    def _is_below_made(self, path: bytes) -> bool:
        return self._made is not None and path.startswith(self._made + b"/")

    def _open(self, path: bytes) -> int:
        """Return a directory of the target, -1 where it is not there yet.

        Raises NotADirectoryError where something else is in its way.
        """
        if path != self._path:
            self.close()
            self._path = None
            try:
                self._fd = open_below(self._target, path)
            except FileNotFoundError:
                self._fd = -1
            self._path = path
        return self._fd
