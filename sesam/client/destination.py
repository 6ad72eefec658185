"""The way back: objects written below a target, and never anywhere else.

Every step goes by descriptors, component by component, following no symbolic link. An
object is made whole under a temporary name and then given its own, so that what bears
a name is finished: a restore that was interrupted can be run again.
"""

import os
import stat
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from errno import EDQUOT, ENOSPC, EROFS, EXDEV
from typing import Concatenate, ParamSpec

from sesam.client import later
from sesam.client.descent import Descent
from sesam.client.directories import Directories, make_plain
from sesam.client.dress import Dresser
from sesam.client.making import (
    Chunks,
    drop_part,
    is_part_name,
    make,
    part_name,
    remove_part,
)
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.client.rename import NO_LINKS, link, rename_new
from sesam.client.standing import content_is, is_same, look, looks_same, move_away
from sesam.errors import TargetUnusable, UnsafePath
from sesam.terms import Kind

_UNUSABLE = (ENOSPC, EROFS, EDQUOT)
Report = Callable[[bytes, str], object]
More = ParamSpec("More")
Read = Callable[[], tuple[TreeObject, Chunks]]


class Destination:
    """Restores objects below `target`, given in walk order.

    existing -- what becomes of what is there; numeric -- owners by number alone
    report -- takes the path of an object and what went wrong with it
    Raises TargetUnusable where nothing can be written at all.
    """

    def __init__(
        self, target: bytes, *, existing: Existing, numeric: bool, report: Report
    ) -> None:
        self._existing = existing
        self._report = report
        self._dresser = Dresser(numeric=numeric, complain=report)
        self._blocked = b""
        try:
            os.makedirs(target, exist_ok=True)
            self._descent = Descent(target, report)
        except OSError as error:
            raise TargetUnusable(
                f'"{os.fsdecode(target)}" cannot be the target: {error.strerror}'
            ) from error
        self._directories = Directories(
            self._descent, self._dresser, existing=existing, report=report
        )

    def place(self, obj: TreeObject, chunks: Chunks) -> Outcome:
        """Restore one object; chunks -- its content, of a sparse file its data."""
        return self._guarded(self._place, obj, chunks)

    def ancestor(self, obj: TreeObject) -> Outcome:
        """Make a directory that leads to what was asked for, or leave it as it is."""
        return self._guarded(self._directories.ancestor, obj)

    def link(self, obj: TreeObject, first: bytes, read: Read) -> Outcome:
        """Make an object a further name of what was restored as `first`.

        obj -- what its line says of it: path, kind, size, mtime, target
        read -- returns all of it and its content: where no link can be, it becomes an
        object of its own, and the outcome is `written` instead of `linked`
        """
        return self._guarded(self._link, obj, first, read)

    def make_way(self, path: bytes, known: Collection[bytes]) -> None:
        """Make a directory for another process to restore into at the same time.

        known -- directories on the way that will be placed here: they are finished then
        Raises OSError, UnsafePath.
        """
        self._directories.make_way(path, known)

    def go_by(self, path: bytes) -> None:
        """Go to a directory that `make_way` of another process has made.

        Its finish, and that of those above it, is left to that one.
        Raises OSError, UnsafePath.
        """
        self._directories.go_by(path)

    def leave_open(self, path: bytes) -> None:
        """Leave the place of an object to another process.

        Raises OSError, UnsafePath.
        """
        later.leave_open(self._descent, path)

    def reopened(self, path: bytes) -> AbstractContextManager[None]:
        """Place one object in a directory that another process has finished.

        Raises OSError, UnsafePath.
        """
        return later.reopened(self._descent, path)

    def unmark(self, paths: Iterable[bytes], way: Collection[bytes]) -> None:
        """Say that what was left open has come; way -- not finished yet themselves.

        Raises OSError.
        """
        later.unmark(self._descent, paths, way)

    def unfinished(self) -> None:
        """Another process could not finish what it restored below where we are."""
        self._descent.unfinished()

    @property
    def has_failed(self) -> bool:
        """Whether a directory could not be finished."""
        return self._descent.failed

    def close(self) -> None:
        """Give the directories their modes and times, deepest first."""
        self._descent.close()

    def abandon(self) -> None:
        """Leave unfinished what is unfinished: a restore that goes on finishes it."""
        self._descent.abandon()

    def _guarded(
        self,
        work: Callable[Concatenate[TreeObject, More], Outcome],
        obj: TreeObject,
        *more: More.args,
        **no: More.kwargs,
    ) -> Outcome:
        try:
            return work(obj, *more, **no)
        except UnsafePath as error:
            self._report(obj.path, f"left out: {error}")
        except NotADirectoryError:
            self._report_blocked(obj.path)
        except OSError as error:
            self._refuse_unusable(error)
            self._report(obj.path, f"cannot be restored: {error.strerror}")
        except (OverflowError, ValueError) as error:
            # A number or a name that no system call takes: of a hostile saveset.
            self._report(obj.path, f"cannot be restored: {error}")
        return Outcome.FAILED

    def _report_blocked(self, path: bytes) -> None:
        """Say once for each directory that something else stands in its place."""
        directory = path.rpartition(b"/")[0]
        if directory != self._blocked:
            self._blocked = directory
            self._report(
                directory, "is no directory here: what lies below it is left out"
            )

    def _refuse_unusable(self, error: OSError) -> None:
        if error.errno in _UNUSABLE:
            raise TargetUnusable(
                f"the target cannot be written: {error.strerror}",
                hint="free space and run the restore again: it goes on where it was",
            ) from error

    def _place(self, obj: TreeObject, chunks: Chunks) -> Outcome:
        if obj.kind is Kind.DIRECTORY:
            return self._directories.place(obj)
        if not obj.path:
            raise UnsafePath("the target itself is a directory")
        above, name = self._descent.parent(obj.path, make_plain)
        if is_part_name(name):
            raise UnsafePath("its name is one that unfinished objects bear here")
        parent, found = above.fd, None
        # In walk order what comes behind the last entry cannot be there yet.
        if not (above.new and name > above.last):
            found = look(name, parent)
            if found is not None:
                outcome = self._stays(obj, found, name, parent)
                if outcome is not None:
                    return outcome
        above.last = name
        part = part_name(name)
        try:
            make(obj, chunks, part, above, self._dresser)
            return self._publish(part, name, parent, found)
        except BaseException:
            drop_part(part, parent)
            raise

    def _stays(
        self, obj: TreeObject, found: os.stat_result, name: bytes, parent: int
    ) -> Outcome | None:
        """Return what becomes of an object when that which is there stays, or None."""
        if is_same(obj, found, name, parent):
            if self._existing is not Existing.OVERWRITE or (
                content_is(obj, name, parent)
                and self._dresser.fits(obj, found, name, parent)
            ):
                return Outcome.SAME
        elif self._existing is Existing.OLDER and found.st_mtime_ns >= obj.mtime_ns:
            return Outcome.KEPT
        if self._existing is Existing.KEEP:
            return Outcome.KEPT
        self._make_room(found, name, parent)
        return None

    def _publish(
        self, part: bytes, name: bytes, parent: int, found: os.stat_result | None
    ) -> Outcome:
        """Give what is finished its name."""
        if found is not None:
            if self._existing is not Existing.RENAME:
                os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
                return Outcome.WRITTEN
            move_away(name, parent)
        try:
            rename_new(part, name, parent)
        except FileExistsError:
            # It has come into use meanwhile.
            os.unlink(part, dir_fd=parent)
            return Outcome.KEPT
        return Outcome.WRITTEN

    def _link(self, obj: TreeObject, first: bytes, read: Read) -> Outcome:
        with self._descent.parent_of(first) as (old_parent, old_name):
            source = look(old_name, old_parent)
            if source is None or not looks_same(obj, source, old_name, old_parent):
                return self._place(*read())
            above, name = self._descent.parent(obj.path, make_plain)
            parent = above.fd
            found = look(name, parent)
            if found is not None:
                outcome = self._link_stays(obj, source, found, name, parent)
                if outcome is not None:
                    return outcome
            part = part_name(name)
            remove_part(part, parent)
            try:
                link(old_name, old_parent, part, parent)
                outcome = self._publish(part, name, parent, found)
            except OSError as error:
                drop_part(part, parent)
                if error.errno not in (*NO_LINKS, EXDEV):
                    raise
                return self._place(*read())
            above.last = max(above.last, name)
            return Outcome.LINKED if outcome is Outcome.WRITTEN else outcome

    def _link_stays(
        self,
        obj: TreeObject,
        source: os.stat_result,
        found: os.stat_result,
        name: bytes,
        parent: int,
    ) -> Outcome | None:
        """Return what becomes of a further name when that which is there stays."""
        if os.path.samestat(found, source):
            return Outcome.SAME
        same = looks_same(obj, found, name, parent)
        if self._existing is Existing.KEEP:
            return Outcome.SAME if same else Outcome.KEPT
        # A file of its own that looks the same becomes the link it should be.
        if (
            self._existing is Existing.OLDER
            and not same
            and found.st_mtime_ns >= obj.mtime_ns
        ):
            return Outcome.KEPT
        self._make_room(found, name, parent)
        return None

    def _make_room(self, found: os.stat_result, name: bytes, parent: int) -> None:
        """Remove a directory that stands in the way of something else. Raises OSError.

        Fails, and is reported, when it is not empty.
        """
        if stat.S_ISDIR(found.st_mode) and self._existing is not Existing.RENAME:
            os.rmdir(name, dir_fd=parent)
