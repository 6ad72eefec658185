"""Opening directories such that whoever moves things about misleads nobody."""

import os

Identity = tuple[int, int]

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PATH_PIECE = 2048


def opened(parent: int, name: bytes) -> tuple[int, os.stat_result]:
    """Return a directory's descriptor and its stat. Raises OSError."""
    fd = os.open(name, OPEN, dir_fd=parent)
    return fd, os.fstat(fd)


def reopened(identity: Identity, path: bytes, child: int) -> int:
    """Return a descriptor of the directory above `child`, -1 where it is another.

    identity, path -- what it was, and where it was
    """
    if child >= 0:
        try:
            fd = os.open(b"..", OPEN, dir_fd=child)
            if _identity(fd) == identity:
                return fd
            os.close(fd)
        except OSError:
            pass  # the way by name is left
    try:
        parent, name = open_parent(path)
        try:
            fd = os.open(name, OPEN, dir_fd=parent)
        finally:
            os.close(parent)
        if _identity(fd) == identity:
            return fd
        os.close(fd)
    except OSError:
        pass  # it is gone: said by the caller
    return -1


def _identity(fd: int) -> Identity:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def open_parent(path: bytes) -> tuple[int, bytes]:
    """Return a descriptor of the directory that holds `path`, and the last component.

    path -- absolute, of any length. Of "/" it is "/" itself and b".". Raises OSError.
    """
    directory, _, name = path.rstrip(b"/").rpartition(b"/")
    fd = os.open(b"/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while directory:
            directory = directory.lstrip(b"/")
            cut = len(directory)
            if cut > _PATH_PIECE:
                cut = directory.rfind(b"/", 0, _PATH_PIECE)
            piece, directory = directory[:cut], directory[cut:]
            if piece:
                below = os.open(
                    piece, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd
                )
                os.close(fd)
                fd = below
    except OSError:
        os.close(fd)
        raise
    return fd, name or b"."
