"""What stands already where an object is to be restored."""

import os
import stat

from sesam.client.making import TYPES
from sesam.client.objects import TreeObject
from sesam.digest import Digest
from sesam.terms import Kind

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CHUNK = 1 << 20


def look(name: bytes, parent: int) -> os.stat_result | None:
    """Return the stat of an entry, a symbolic link's own; None where there is none."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_same(obj: TreeObject, found: os.stat_result, name: bytes, parent: int) -> bool:
    """Tell whether what is there is this very object, finished."""
    if obj.kind in (Kind.CHARACTER, Kind.BLOCK):
        of_kind = stat.S_IFMT(found.st_mode) == TYPES[obj.kind]
        return of_kind and found.st_rdev == os.makedev(*obj.device)
    return looks_same(obj, found, name, parent)


def looks_same(
    obj: TreeObject, found: os.stat_result, name: bytes, parent: int
) -> bool:
    """Tell the same of an object of which only the line is known."""
    if stat.S_IFMT(found.st_mode) != TYPES[obj.kind]:
        return False
    if obj.kind is Kind.SYMLINK:
        return os.readlink(name, dir_fd=parent) == obj.target
    if obj.kind is Kind.FILE and found.st_size != obj.size:
        return False
    return found.st_mtime_ns == obj.mtime_ns


def content_is(obj: TreeObject, name: bytes, parent: int) -> bool:
    """Tell whether a file that looks the same holds the same; False if in doubt."""
    if obj.kind is not Kind.FILE:
        return True
    if not obj.digest or obj.extents is not None:
        return False
    digest = Digest()
    fd = os.open(name, _READ, dir_fd=parent)
    try:
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
    finally:
        os.close(fd)
    return digest.hexdigest() == obj.digest


def move_away(name: bytes, parent: int) -> None:
    """Give what is there the first name that is free: NAME.before-1, -2 ..."""
    number = 1
    while look(b"%b.before-%d" % (name, number), parent) is not None:
        number += 1
    os.rename(
        name, b"%b.before-%d" % (name, number), src_dir_fd=parent, dst_dir_fd=parent
    )
