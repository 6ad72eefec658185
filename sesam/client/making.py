"""Making one object: its content, then all that it wears."""

import contextlib
import os
import stat
from collections.abc import Iterable

from sesam.client.descent import Level
from sesam.client.dress import Dresser
from sesam.client.objects import TreeObject
from sesam.digest import hexdigest
from sesam.errors import Damaged
from sesam.terms import Kind

_PART = b".sesam-part-"
_PART_LENGTH = len(_PART) + len(hexdigest(b""))
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
TYPES = {
    Kind.FILE: stat.S_IFREG,
    Kind.DIRECTORY: stat.S_IFDIR,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.FIFO: stat.S_IFIFO,
    Kind.CHARACTER: stat.S_IFCHR,
    Kind.BLOCK: stat.S_IFBLK,
}
Chunks = Iterable[bytes]


def make(
    obj: TreeObject, chunks: Chunks, part: bytes, above: Level, dresser: Dresser
) -> None:
    """Make an object under its temporary name, finished in all it has.

    What an interrupted restore has left under that name is replaced.
    Raises OSError; Damaged where the content is not as long as the object says.
    """
    parent = above.fd
    if obj.kind is Kind.FILE:
        mode = dresser.mode_at_birth(obj, above)
        fd = _new_file(part, 0o600 if mode < 0 else mode, parent)
        try:
            _fill(fd, obj, chunks)
            if mode < 0:
                dresser.dress_open(fd, obj)
            else:
                dresser.stamp(fd, obj)
        finally:
            os.close(fd)
        return
    remove_part(part, parent)
    if obj.kind is Kind.SYMLINK:
        os.symlink(obj.target, part, dir_fd=parent)
    elif obj.kind is Kind.FIFO:
        os.mkfifo(part, 0o600, dir_fd=parent)
    else:
        device = os.makedev(*obj.device)
        os.mknod(part, 0o600 | TYPES[obj.kind], device, dir_fd=parent)
    dresser.dress_named(part, parent, obj)


def _new_file(part: bytes, mode: int, parent: int) -> int:
    try:
        return os.open(part, _NEW, mode, dir_fd=parent)
    except FileExistsError:
        remove_part(part, parent)
        return os.open(part, _NEW, mode, dir_fd=parent)


def remove_part(part: bytes, parent: int) -> None:
    """Take away what stands under the temporary name, if anything does."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part, dir_fd=parent)


def drop_part(part: bytes, parent: int) -> None:
    """Take away what stands there, whatever becomes of it."""
    with contextlib.suppress(OSError):
        os.unlink(part, dir_fd=parent)


def part_name(name: bytes) -> bytes:
    """Return the temporary name for an object: the same one in every run.

    What a killed restore has left there is replaced by the next one.
    """
    return _PART + hexdigest(name).encode()


def is_part_name(name: bytes) -> bool:
    """Tell whether a name is one that `part_name` can return."""
    return name.startswith(_PART) and len(name) == _PART_LENGTH


def _fill(fd: int, obj: TreeObject, chunks: Chunks) -> None:
    """Write the content; holes stay holes."""
    if obj.extents is None:
        written = 0
        for chunk in chunks:
            _write(fd, chunk)
            written += len(chunk)
        if written != obj.size:
            raise Damaged(f"its content has {written} bytes instead of {obj.size}")
        return
    rest = b""
    source = iter(chunks)
    for offset, length in obj.extents:
        os.lseek(fd, offset, os.SEEK_SET)
        while length:
            rest = rest or next(source, b"")
            if not rest:
                raise Damaged("its content ends early")
            _write(fd, rest[:length])
            length, rest = max(0, length - len(rest)), rest[length:]
    # To its end: what is found wrong with the content is raised there.
    if rest or any(source):
        raise Damaged("its content is longer than its extents")
    os.ftruncate(fd, obj.size)


def _write(fd: int, chunk: bytes) -> None:
    done = os.write(fd, chunk)
    while done < len(chunk):
        done += os.write(fd, chunk[done:])
