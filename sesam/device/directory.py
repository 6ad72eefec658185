"""A data store: a directory that holds savesets, known by the marker in it.

The marker tells a store from an empty mount point and from another site's store.
A key is `<saveset>/<part>`, a further piece of a part `<saveset>/<part>.p2`.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from errno import (
    EACCES,
    EBADMSG,
    EHOSTDOWN,
    EHOSTUNREACH,
    EIO,
    ENODEV,
    ENOENT,
    ENOTCONN,
    ENOTDIR,
    EPERM,
    ESTALE,
    ETIMEDOUT,
    EUCLEAN,
)

from sesam.device.durable import sync_directory, write_new
from sesam.errors import (
    Conflict,
    Damaged,
    DeviceError,
    ForeignSite,
    NotFound,
    RequestError,
    StoreMissing,
    WriteProtected,
    WrongMedium,
)

MARKER = ".sesam-store"
_FORMAT = 1
# A killed init may have left the marker half written: the next one writes it anew.
_IGNORED = {MARKER, MARKER + ".part", "lost+found"}
# A file system that does not answer, or not to us: nothing is known of what it holds.
_AWAY = (
    EACCES,
    EPERM,
    ENODEV,
    ENOTCONN,
    ESTALE,
    ETIMEDOUT,
    EHOSTDOWN,
    EHOSTUNREACH,
)
# The bytes in one place are lost: those beside them may still be there.
_BAD_SPOT = (EIO, EBADMSG, EUCLEAN)


class FileBlob:
    """A file's bytes as a Blob; path -- of the file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._size = os.fstat(self._fd).st_size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        found = b""
        while len(found) < length:
            try:
                more = os.pread(self._fd, length - len(found), offset + len(found))
            except OSError as error:
                kind = Damaged if error.errno in _BAD_SPOT else DeviceError
                raise kind(f'"{self.path}" cannot be read: {error.strerror}') from error
            if not more:
                break
            found = found + more if found else more
        return found

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class DirectoryStore:
    """A Store over the directory `root`; name -- "" where none is expected.

    Opening it looks at the marker. Raises StoreMissing where there is none, ForeignSite
    where it names another site, WrongMedium where it names another store.
    """

    def __init__(self, name: str, root: str, site_id: str) -> None:
        self._name = name
        self.root = root
        self._site_id = site_id
        self.check()

    @property
    def name(self) -> str:
        return self._name

    def check(self) -> None:
        """Look whether this is the store, mounted and this site's. Raises as above."""
        found = read_marker(self.root)
        if found is None:
            raise StoreMissing(
                f'data store "{self._name}": "{self.root}" bears no marker of a store'
            )
        if found.get("site") != self._site_id:
            raise ForeignSite(
                f'data store "{self._name}": "{self.root}" belongs to another site'
                f" ({found.get('site')})"
            )
        if self._name and found.get("store") != self._name:
            raise WrongMedium(
                f'data store "{self._name}": "{self.root}" is data store'
                f' "{found.get("store")}"',
                hint="look at what is mounted there",
            )

    def path(self, key: str) -> str:
        """Return the file of a key. Raises RequestError where it would lead outside."""
        for one in key.split("/"):
            if one in ("", ".", "..") or "\0" in one:
                raise RequestError(f"{key!r} cannot be a key of a store")
        return os.path.join(self.root, key)

    def close(self) -> None:
        """Nothing is held but by what was opened."""

    def open(self, key: str) -> FileBlob:
        try:
            return FileBlob(self.path(key))
        except OSError as error:
            raise self._failed(key, error) from error

    def stat(self, key: str) -> int:
        try:
            return os.lstat(self.path(key)).st_size
        except OSError as error:
            raise self._failed(key, error) from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in order; symlinks are no keys."""
        for top in self._names(self.root):
            if top.name in _IGNORED or not _may_hold(top.name, prefix):
                continue
            if not top.is_dir(follow_symlinks=False):
                continue
            for one in self._names(top.path):
                key = f"{top.name}/{one.name}"
                if key.startswith(prefix) and one.is_file(follow_symlinks=False):
                    yield key

    def names(self) -> list[str]:
        """Return what lies in the store, in order; hidden files are its own."""
        return [
            one.name
            for one in self._names(self.root)
            if one.name not in _IGNORED and not one.name.startswith(".")
        ]

    def delete(self, key: str) -> None:
        path = self.path(key)
        try:
            os.unlink(path)
            sync_directory(os.path.dirname(path))
            with contextlib.suppress(OSError):  # other parts are still in it
                os.rmdir(os.path.dirname(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failed(key, error) from error

    def _names(self, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=lambda one: one.name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed(path, error) from error

    def _failed(self, key: str, error: OSError) -> DeviceError | NotFound:
        """Return what an error means. Raises as `check` where the store is gone."""
        if error.errno in (ENOENT, ENOTDIR):
            self.check()
            return NotFound(f'data store "{self._name}" holds no "{key}"')
        if error.errno in _AWAY:
            return StoreMissing(
                f'data store "{self._name}": "{key}": {error.strerror}',
                hint=f'look at the mount and the rights of "{self.root}"',
            )
        return DeviceError(f'data store "{self._name}": "{key}": {error.strerror}')


def create_store(root: str, *, name: str, site_id: str, now: datetime) -> None:
    """Make a directory a data store; done again for the same site it does no harm.

    Raises Conflict where it holds anything else, ForeignSite where another site's
    marker lies in it, WriteProtected, StoreMissing, DeviceError.
    """
    try:
        if is_store(root, name=name, site_id=site_id):
            return
        os.makedirs(os.path.dirname(root) or "/", exist_ok=True)
        try:
            os.mkdir(root)
            os.chmod(root, 0o700)
        except FileExistsError:
            close_to_others(root)
        facts = {
            "sesam_store": _FORMAT,
            "site": site_id,
            "store": name,
            "made_at": now.isoformat(timespec="seconds"),
        }
        text = json.dumps(facts, indent=1) + "\n"
        write_new(os.path.join(root, MARKER), text.encode())
    except OSError as error:
        kind = WriteProtected if isinstance(error, PermissionError) else DeviceError
        raise kind(f'"{root}" cannot become a data store: {error.strerror}') from error


def is_store(root: str, *, name: str, site_id: str) -> bool:
    """Tell whether a directory is that data store; if not, it can become it.

    Raises Conflict where it holds anything else, ForeignSite where another site's
    marker lies in it, StoreMissing, DeviceError where it cannot be read.
    """
    found = read_marker(root)
    if found is not None:
        _same(found, root, name, site_id)
        return True
    try:
        foreign = sorted(set(os.listdir(root)) - _IGNORED)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DeviceError(
            f'"{root}" cannot become a data store: {error.strerror}'
        ) from error
    if foreign:
        raise Conflict(
            f'"{root}" cannot become a data store: it holds "{foreign[0]}"',
            hint="name an empty directory",
        )
    return False


def close_to_others(path: str) -> None:
    """Take a directory that is ours from all others. Raises OSError."""
    facts = os.stat(path)
    ours = facts.st_uid == os.geteuid() and stat.S_ISDIR(facts.st_mode)
    if ours and facts.st_mode & 0o077:
        os.chmod(path, 0o700)


def read_marker(root: str) -> dict[str, object] | None:
    """Return what the marker of a store says, None where there is none.

    Raises StoreMissing where the directory does not let us look, WrongMedium where
    there is a marker that says nothing.
    """
    try:
        with open(os.path.join(root, MARKER), "rb") as file:
            facts = json.loads(file.read(65536))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreMissing(
            f'"{root}": {error.strerror}', hint="look at its mount and its rights"
        ) from error
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise WrongMedium(f'the marker of the data store "{root}" cannot be read')
    return facts


def _same(found: dict[str, object], root: str, name: str, site_id: str) -> None:
    if found.get("site") != site_id:
        raise ForeignSite(
            f'"{root}" is a data store of another site ({found.get("site")})',
            hint=f"sm_media import {root} shows what it holds",
        )
    if found.get("store") != name:
        raise Conflict(f'"{root}" is the data store "{found.get("store")}" already')


def _may_hold(directory: str, prefix: str) -> bool:
    return (directory + "/").startswith(prefix) or prefix.startswith(directory + "/")
