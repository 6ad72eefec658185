"""The walk over the sources: every object below them once, in walk order.

Names are opened relative to open directories, so that a path may be longer than the
kernel's PATH_MAX, and a symbolic link put in the way is never followed. However deep
the tree, few directories are open at once: those above are opened again through `..`
and compared with what they were.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from errno import ELOOP, ENOENT, ENOTDIR
from itertools import dropwhile

from sesam.client.entries import DIRECTORY, FILE, Entry, entries
from sesam.client.marks import CACHE_TAG, holds, is_cache, is_store
from sesam.client.opening import Identity, open_parent, opened, reopened
from sesam.rules.paths import is_below, normal, roots, walk_key

_LEVELS_OPEN = 64
# Files of one directory that come together.
_RUN = 256
# Whatever stands there now, it is no directory any more.
_NOT_THERE = (ENOENT, ENOTDIR, ELOOP)
_ITSELF = (b"",)
_MOVED = "was moved away while it was read; the rest of it is not saved"

# See Walk.
Found = tuple[bytes, int, Sequence[bytes], os.stat_result | None]
Report = Callable[[bytes, str], None]


def reason(error: OSError) -> str:
    """Return why, in the words of the operating system: `permission denied`."""
    return (error.strerror or str(error)).lower()


@dataclass(slots=True)
class _Level:
    """A directory on the way down; fd is -1 while it is closed to save descriptors.

    length -- of its path, with a slash behind it
    """

    length: int
    fd: int
    identity: Identity
    device: int
    rest: Iterator[Entry]


@dataclass(slots=True)
class _Way:
    """The directories on the way down; prefix -- path of the deepest, and a slash.

    The others' paths are its beginnings: kept once, however deep the tree.
    """

    levels: list[_Level] = field(default_factory=list)
    prefix: bytes = b""

    def path(self, level: _Level) -> bytes:
        return self.prefix[: level.length - 1] or b"/"


@dataclass(frozen=True, slots=True)
class Walk:
    """What to walk over, and what to pass by.

    sources -- absolute paths; report -- takes what could not be read, and why
    note    -- takes what was left out by rule, and by which
    unread  -- takes directories of which the rest could not be looked at, and why
    exclude -- tells from (path, is a directory) what is passed by
    own     -- (device, inode) of directories that are the site's own stores
    stores  -- data stores are passed by too, whichever site's
    begin   -- what comes before this path in walk order is passed over, but for what
               leads to it; b"" = nothing
    """

    sources: Sequence[bytes]
    report: Report
    note: Report
    unread: Report
    exclude: Callable[[bytes, bool], bool] | None = None
    exclude_caches: bool = False
    exclude_if_present: Sequence[bytes] = ()
    one_file_system: bool = False
    own: frozenset[Identity] = frozenset()
    stores: bool = False
    begin: bytes = b""

    def __iter__(self) -> Iterator[Found]:
        """Yield (path, directory fd, names, stat) of objects.

        The path of each is `path` and its name behind it. Regular files come together,
        those of a directory that follow each other, with the fd of their directory and
        no stat, to be opened by the taker. A directory comes open itself, with the name
        b"" and its stat; anything else with its stat. The fd is valid until the next
        ones are asked for.
        """
        for source in roots(self.sources):
            if self._is_passed(source):
                continue
            try:
                parent, name = open_parent(source)
            except OSError as error:
                self.report(source, reason(error))
                continue
            try:
                yield from self._source(source, parent, name)
            finally:
                os.close(parent)

    def _source(self, source: bytes, parent: int, name: bytes) -> Iterator[Found]:
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            return self.report(source, reason(error))
        if not stat.S_ISDIR(found.st_mode):
            if stat.S_ISLNK(found.st_mode):
                self.note(source, "is a symbolic link: saved as such, not followed")
            yield source[: len(source) - len(name)], parent, (name,), found
            return None
        try:
            inside = opened(parent, name)
        except OSError as error:
            gone = error.errno in _NOT_THERE
            return (self.report if gone else self.unread)(source, reason(error))
        way = _Way()
        try:
            yield from self._down(way, source, *inside)
            while way.levels:
                yield from self._next(way)
        finally:
            for level in way.levels:
                if level.fd >= 0:
                    os.close(level.fd)

    def _is_passed(self, source: bytes) -> bool:
        begin = self.begin
        return (
            bool(begin)
            and walk_key(source) < walk_key(begin)
            and not self._leads_on(source)
        )

    def _leads_on(self, path: bytes) -> bool:
        """Tell whether the walk comes through a directory before it begins."""
        begin = self.begin
        return begin.startswith(path) and begin != path and is_below(begin, path)

    def _next(self, way: _Way) -> Iterator[Found]:
        """Yield what the deepest directory still has, down to its next directory."""
        level, exclude = way.levels[-1], self.exclude
        fd, prefix = level.fd, way.prefix
        files: list[bytes] = []
        for name, kind in level.rest:
            if exclude is not None and exclude(prefix + name, kind == DIRECTORY):
                continue
            if kind == FILE:
                files.append(name)
                if len(files) < _RUN:
                    continue
            if files:
                yield prefix, fd, files, None
                files = []
            if kind == DIRECTORY:
                try:
                    inside = opened(fd, name)
                except OSError as error:
                    yield from self._closed(prefix, fd, name, error)
                    continue
                return (yield from self._down(way, prefix + name, *inside))
            if kind != FILE:
                yield from self._other(prefix, fd, name)
        if files:
            yield prefix, fd, files, None
        self._up(way)
        return None

    def _other(self, prefix: bytes, fd: int, name: bytes) -> Iterator[Found]:
        try:
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError as error:
            return self.report(prefix + name, reason(error))
        yield prefix, fd, (name,), found
        return None

    def _closed(
        self, prefix: bytes, fd: int, name: bytes, error: OSError
    ) -> Iterator[Found]:
        """Yield a directory that cannot be opened: all that is seen is that it is."""
        path = prefix + name
        if error.errno in _NOT_THERE:
            return self.report(path, reason(error))
        try:
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError:
            found = None
        if found is not None:
            yield prefix, fd, (name,), found
        self.unread(path, reason(error))
        return None

    def _down(
        self, way: _Way, path: bytes, fd: int, found: os.stat_result
    ) -> Iterator[Found]:
        levels = way.levels
        identity = found.st_dev, found.st_ino
        device = levels[-1].device if levels else found.st_dev
        way.prefix = path if path == b"/" else path + b"/"
        level = _Level(len(way.prefix), fd, identity, device, iter(()))
        levels.append(level)
        yield path, fd, _ITSELF, found
        level.rest = self._entries(level, path, found)
        if self._leads_on(path):
            step = self.begin[level.length :].partition(b"/")[0]
            level.rest = dropwhile(lambda one: one[0] < step, level.rest)
        if len(levels) > _LEVELS_OPEN:
            above = levels[-_LEVELS_OPEN - 1]
            os.close(above.fd)
            above.fd = -1

    def _entries(
        self, level: _Level, path: bytes, found: os.stat_result
    ) -> Iterator[Entry]:
        """Return what to read of a directory: all of it, its tag, or nothing."""
        if level.identity in self.own:
            self.note(path, "excluded: own store")
            return iter(())
        if self.stores and is_store(level.fd):
            self.note(path, "excluded: a data store")
            return iter(())
        if found.st_dev != level.device and self.one_file_system:
            if path not in map(normal, self.sources):
                self.note(path, "excluded: another file system")
                return iter(())
            level.device = found.st_dev
        for tag in self._tags(level.fd):
            self.note(path, f"excluded but for {os.fsdecode(tag)}")
            return iter([(tag, FILE)])
        try:
            return entries(level.fd)
        except OSError as error:
            self.unread(path, reason(error))
            return iter(())

    def _tags(self, fd: int) -> Iterator[bytes]:
        if self.exclude_caches and is_cache(fd):
            yield CACHE_TAG
        for name in self.exclude_if_present:
            if holds(fd, name):
                yield name

    def _up(self, way: _Way) -> None:
        child = way.levels.pop()
        if way.levels:
            above = way.levels[-1]
            way.prefix = way.prefix[: above.length]
            if above.fd < 0:
                above.fd = reopened(above.identity, way.path(above), child.fd)
            if above.fd < 0:
                self.unread(way.path(above), _MOVED)
                above.rest = iter(())
        if child.fd >= 0:
            os.close(child.fd)
