"""Giving a finished object its name, and taking the name from nothing else.

renameat2(2) does it in one step. Where the file system cannot, link(2) and unlink(2) do
it in two, and where it has no hard links either nothing is left but rename(2).
"""

import ctypes
import os
import sys
from collections.abc import Callable
from errno import EEXIST, EINVAL, EMLINK, ENOSYS, EOPNOTSUPP, EPERM
from typing import cast

# What file systems say that have no hard links, or no more of them for a file.
NO_LINKS = (EPERM, ENOSYS, EOPNOTSUPP, EMLINK)
_NO_REPLACE = 1
_NOT_HERE = (EINVAL, ENOSYS, EOPNOTSUPP)


def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    """Return renameat2(2), None where the C library has none."""
    try:
        found = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    entry = (ctypes.c_int, ctypes.c_char_p)
    found.argtypes = (*entry, *entry, ctypes.c_uint)
    return cast("Callable[[int, bytes, int, bytes, int], int]", found)


_rename = _renameat2()


def rename_new(old: bytes, new: bytes, parent: int) -> None:
    """Rename an entry of a directory. Raises FileExistsError, OSError.

    old, new -- without a NUL
    """
    # As os.rename tells those who look on.
    sys.audit("os.rename", old, new, parent, parent)
    if _rename is not None:
        if not _rename(parent, old, parent, new, _NO_REPLACE):
            return
        number = ctypes.get_errno()
        if number not in _NOT_HERE:
            raise OSError(number, os.strerror(number), new)
    _by_link(old, new, parent)


def _by_link(old: bytes, new: bytes, parent: int) -> None:
    try:
        link(old, parent, new, parent)
    except OSError as error:
        if error.errno == EEXIST or error.errno not in NO_LINKS:
            raise
        os.rename(old, new, src_dir_fd=parent, dst_dir_fd=parent)
        return
    os.unlink(old, dir_fd=parent)


def link(old: bytes, old_parent: int, new: bytes, parent: int) -> None:
    """Make a further name, of a symbolic link itself as well. Raises OSError."""
    os.link(old, new, src_dir_fd=old_parent, dst_dir_fd=parent, follow_symlinks=False)
