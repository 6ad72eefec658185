"""The way back: objects written below a target, and never anywhere else.

Every step goes by descriptors, component by component, following no symbolic link. An
object is made whole under a temporary name and then given its own, so that what bears
a name is finished: a restore that was interrupted can be run again.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from errno import (
    EDQUOT,
    EEXIST,
    EMLINK,
    ENOSPC,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    EROFS,
    EXDEV,
)

from sesam.client.descent import Descent, components_of
from sesam.client.directories import Directories, make_plain
from sesam.client.dress import Dresser
from sesam.client.making import Chunks, is_part_name, make, part_name, remove_part
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.client.standing import content_is, is_same, look, looks_same, move_away
from sesam.errors import TargetUnusable, UnsafePath
from sesam.terms import Kind

_UNUSABLE = (ENOSPC, EROFS, EDQUOT)
# What file systems say that have no hard links, or no more of them for a file.
_NO_LINKS = (EPERM, ENOSYS, EOPNOTSUPP, EMLINK)
Report = Callable[[bytes, str], object]
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
        return self._guarded(obj, lambda: self._place(obj, chunks))

    def ancestor(self, obj: TreeObject) -> Outcome:
        """Make a directory that leads to what was asked for, or leave it as it is."""
        return self._guarded(obj, lambda: self._directories.place(obj, asked=False))

    def link(self, obj: TreeObject, first: bytes, read: Read) -> Outcome:
        """Make an object a further name of what was restored as `first`.

        obj -- what its line says of it: path, kind, size, mtime, target
        read -- returns all of it and its content: where no link can be, it becomes an
        object of its own, and the outcome is `written` instead of `linked`
        """
        return self._guarded(obj, lambda: self._link(obj, first, read))

    def close(self) -> None:
        """Give the directories their modes and times, deepest first."""
        self._descent.close()

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
        with _part_of(name, parent) as part:
            make(obj, chunks, part, parent, self._dresser)
            return self._publish(obj, part, name, parent, found)

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
            _link(part, parent, name, parent)
        except OSError as error:
            if error.errno == EEXIST:
                os.unlink(part, dir_fd=parent)
                return Outcome.KEPT
            if error.errno not in _NO_LINKS:
                raise
            os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
            return Outcome.WRITTEN
        os.unlink(part, dir_fd=parent)
        return Outcome.WRITTEN

    def _link(self, obj: TreeObject, first: bytes, read: Read) -> Outcome:
        with self._descent.parent_of(first) as (old_parent, old_name):
            source = look(old_name, old_parent)
            if source is None or not looks_same(obj, source, old_name, old_parent):
                return self._place(*read())
            parent, name = self._parent(obj)
            found = look(name, parent)
            if found is not None:
                outcome = self._link_stays(obj, source, found, name, parent)
                if outcome is not None:
                    return outcome
            with _part_of(name, parent) as part:
                try:
                    _link(old_name, old_parent, part, parent)
                except OSError as error:
                    if error.errno not in (*_NO_LINKS, EXDEV):
                        raise
                    return self._place(*read())
                outcome = self._publish(obj, part, name, parent, found)
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


@contextlib.contextmanager
def _part_of(name: bytes, parent: int) -> Iterator[bytes]:
    """Yield the temporary name for an object, free; what fails leaves nothing there."""
    part = part_name(name)
    remove_part(part, parent)
    try:
        yield part
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part, dir_fd=parent)
        raise


def _link(old: bytes, old_parent: int, new: bytes, parent: int) -> None:
    os.link(old, new, src_dir_fd=old_parent, dst_dir_fd=parent, follow_symlinks=False)
