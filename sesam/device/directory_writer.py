"""Writes the pieces of one saveset into the data stores of a pool.

When a store fills, the piece ends with the last byte that found room, and the saveset
goes on in the next store. The manifest is what completes a saveset: it alone gets its
name only when its bytes are durable.
"""

import contextlib
import os
from collections.abc import Sequence
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS

from sesam.device.directory import DirectoryStore
from sesam.device.durable import open_new, sync_directory
from sesam.errors import DeviceError, MediumFull, StoreMissing, WriteProtected
from sesam.terms import Place

_FULL = (ENOSPC, EDQUOT, EFBIG)
_READ_ONLY = (EROFS, EACCES, EPERM)
# Left behind by a writer that was killed while a piece was open.
_PART = ".part"
# Dirty pages are sent to the disk along the way, so that the final sync is short.
_PUSH_BYTES = 64 << 20


class DirectoryWriter:
    """A PieceWriter over data stores, taken in the order given.

    saveset -- its name, unique for ever: nothing of that name may be there
    """

    def __init__(self, stores: Sequence[DirectoryStore], saveset: str) -> None:
        self._stores = list(stores)
        self._saveset = saveset
        self._used: list[DirectoryStore] = []
        self._fd = -1
        self._key = ""
        self._size = 0
        self._pushed = 0
        self._enter(self._next_store())

    def begin(self, part: str, number: int) -> None:
        name = part if number == 1 else f"{part}.p{number}"
        self._key = f"{self._saveset}/{name}"
        self._size = self._pushed = 0
        try:
            self._fd = open_new(self._store.path(self._key) + _PART)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, data: memoryview) -> int:
        at = 0
        try:
            while at < len(data):
                at += os.write(self._fd, data[at:])
        except OSError as error:
            if error.errno not in _FULL:
                raise self._failed(error) from error
        self._size += at
        if self._size - self._pushed >= _PUSH_BYTES:
            os.posix_fadvise(self._fd, 0, self._pushed, os.POSIX_FADV_DONTNEED)
            self._pushed = self._size
        return at

    def end(self) -> Place:
        path = self._store.path(self._key)
        try:
            os.fsync(self._fd)
            os.rename(path + _PART, path)
            sync_directory(os.path.dirname(path))
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._close()
        return Place(store=self._store.name, key=self._key)

    def drop(self) -> None:
        self._close()
        try:
            os.unlink(self._store.path(self._key) + _PART)
        except OSError as error:
            raise self._failed(error) from error

    def next_medium(self) -> None:
        full = self._store.name
        try:
            self._enter(self._next_store())
        except MediumFull:
            raise MediumFull(
                f'data store "{full}" is full and the pool has no other with room'
            ) from None

    def finish(self) -> None:
        """Every piece has been made durable as it ended; names of stores too."""
        try:
            for store in self._used:
                sync_directory(store.root)
        except OSError as error:
            raise self._failed(error) from error

    def abandon(self) -> None:
        self._close()
        for store in self._used:
            with contextlib.suppress(OSError, StoreMissing):
                remove_saveset(store, self._saveset)

    def media(self) -> tuple[str, ...]:
        return tuple(store.name for store in self._used)

    @property
    def _store(self) -> DirectoryStore:
        return self._used[-1]

    def _next_store(self) -> DirectoryStore:
        for store in self._stores[len(self._used) :]:
            return store
        raise MediumFull("no data store of the pool has room left")

    def _enter(self, store: DirectoryStore) -> None:
        store.check()
        self._used.append(store)
        directory = os.path.join(store.root, self._saveset)
        try:
            os.mkdir(directory)
            os.chmod(directory, 0o700)
            sync_directory(store.root)
        except OSError as error:
            if error.errno in _FULL:
                return self.next_medium()
            raise self._failed(error) from error

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _failed(self, error: OSError) -> DeviceError:
        where = f'data store "{self._store.name}"'
        if error.errno in _FULL:
            return MediumFull(f"{where} is full")
        if error.errno in _READ_ONLY:
            return WriteProtected(
                f"{where} cannot be written: {error.strerror}",
                hint=f'look at the mount and the rights of "{self._store.root}"',
            )
        self._store.check()
        return DeviceError(f"{where} cannot be written: {error.strerror}")


def remove_saveset(store: DirectoryStore, saveset: str) -> None:
    """Remove all files of a saveset, its manifest first; durable on return.

    A saveset that is not there does no harm. Raises OSError, StoreMissing, ForeignSite.
    """
    store.check()
    directory = os.path.dirname(store.path(f"{saveset}/x"))
    try:
        names = sorted(os.listdir(directory), key=lambda one: not _is_manifest(one))
    except FileNotFoundError:
        return
    # Two commands may finish the same removal: what is gone already is as it should be.
    with contextlib.suppress(FileNotFoundError):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
            if _is_manifest(name):
                sync_directory(directory)
        os.rmdir(directory)
    sync_directory(store.root)


def _is_manifest(name: str) -> bool:
    return name.startswith("manifest.json")
