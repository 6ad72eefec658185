"""The way back: objects written below a target, and never anywhere else.

Every step goes by descriptors, component by component, following no symbolic link. An
object is made whole under a temporary name and then given its own, so that what bears
a name is finished: a restore that was interrupted can be run again.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from errno import EDQUOT, EEXIST, ENOSPC, EPERM, EROFS

from sesam.client.descent import Descent, components_of
from sesam.client.directories import Directories, make_plain
from sesam.client.dress import Dresser
from sesam.client.making import Chunks, is_part_name, make, part_name, remove_part
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.client.standing import content_is, is_same, look, move_away
from sesam.errors import TargetUnusable, UnsafePath
from sesam.terms import Kind

_UNUSABLE = (ENOSPC, EROFS, EDQUOT)
Report = Callable[[bytes, str], object]


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
            self._descent = Descent(target)
        except OSError as error:
            raise TargetUnusable(
                f'"{os.fsdecode(target)}" cannot be the target: {error.strerror}'
            ) from error
        self._directories = Directories(
            self._descent, self._dresser, existing=existing, report=report
        )

    def place(self, obj: TreeObject, chunks: Chunks) -> Outcome:
        """Restore one object; chunks -- its content, of a sparse file its data."""
        return self._guarded(obj, lambda: self._place(obj, chunks))

    def ancestor(self, obj: TreeObject) -> Outcome:
        """Make a directory that leads to what was asked for, or leave it as it is."""
        return self._guarded(obj, lambda: self._directories.place(obj, asked=False))

    def link(self, path: bytes, first: TreeObject, chunks: Chunks) -> Outcome:
        """Make `path` a further name of what was restored as `first`.

        Where that cannot be, it becomes an object of its own.
        """
        obj = replace(first, path=path)
        return self._guarded(obj, lambda: self._link(obj, first.path, chunks))

    def close(self) -> None:
        """Give the directories their modes and times, deepest first."""
        try:
            self._descent.close()
        except OSError as error:
            self._refuse_unusable(error)
            self._report(b"", f"a directory could not be finished: {error.strerror}")

    def abandon(self) -> None:
        """Leave unfinished what is unfinished: a restore that goes on finishes it."""
        self._descent.abandon()

    def _guarded(self, obj: TreeObject, work: Callable[[], Outcome]) -> Outcome:
        try:
            return work()
        except UnsafePath as error:
            self._report(obj.path, f"left out: {error}")
        except NotADirectoryError:
            self._report_blocked(obj.path)
        except OSError as error:
            self._refuse_unusable(error)
            self._report(obj.path, f"cannot be restored: {error.strerror}")
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

    def _parent(self, obj: TreeObject) -> tuple[int, bytes]:
        *above, name = components_of(obj.path)
        return self._descent.enter(above, make_plain), name

    def _place(self, obj: TreeObject, chunks: Chunks) -> Outcome:
        if obj.kind is Kind.DIRECTORY:
            return self._directories.place(obj, asked=True)
        if not obj.path:
            raise UnsafePath("the target itself is a directory")
        parent, name = self._parent(obj)
        if is_part_name(name):
            raise UnsafePath("its name is one that unfinished objects bear here")
        found = look(name, parent)
        if found is not None:
            outcome = self._stays(obj, found, name, parent)
            if outcome is not None:
                return outcome
        part = part_name(name)
        remove_part(part, parent)
        try:
            make(obj, chunks, part, parent, self._dresser)
            return self._publish(obj, part, name, parent, found)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part, dir_fd=parent)
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
        if stat.S_ISDIR(found.st_mode) and self._existing is not Existing.RENAME:
            # Fails, and is reported, when it is not empty.
            os.rmdir(name, dir_fd=parent)
        return None

    def _publish(
        self,
        obj: TreeObject,
        part: bytes,
        name: bytes,
        parent: int,
        found: os.stat_result | None,
    ) -> Outcome:
        """Give what is finished its name."""
        if found is not None and self._existing is Existing.RENAME:
            move_away(name, parent)
        elif self._existing in (Existing.OVERWRITE, Existing.OLDER):
            os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
            return Outcome.WRITTEN
        try:
            # Unlike rename it takes no name that has come into use meanwhile.
            os.link(
                part,
                name,
                src_dir_fd=parent,
                dst_dir_fd=parent,
                follow_symlinks=False,
            )
        except OSError as error:
            if error.errno == EEXIST:
                os.unlink(part, dir_fd=parent)
                return Outcome.KEPT
            if error.errno != EPERM:
                raise
            os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
            return Outcome.WRITTEN
        os.unlink(part, dir_fd=parent)
        return Outcome.WRITTEN

    def _link(self, obj: TreeObject, first: bytes, chunks: Chunks) -> Outcome:
        with self._descent.parent_of(first) as (old_parent, old_name):
            source = look(old_name, old_parent)
            if source is None or not is_same(obj, source, old_name, old_parent):
                return self._place(obj, chunks)
            parent, name = self._parent(obj)
            found = look(name, parent)
            if found is not None:
                if os.path.samestat(found, source):
                    return Outcome.SAME
                outcome = self._stays(obj, found, name, parent)
                # A file of its own that looks the same becomes the link it should be.
                if outcome is Outcome.KEPT or self._existing is Existing.KEEP:
                    return outcome or Outcome.KEPT
            part = part_name(name)
            remove_part(part, parent)
            os.link(
                old_name,
                part,
                src_dir_fd=old_parent,
                dst_dir_fd=parent,
                follow_symlinks=False,
            )
            return self._publish(obj, part, name, parent, found)
