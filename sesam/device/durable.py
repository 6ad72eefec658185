"""Files that survive a power cut: written, synced, named, and the directory synced."""

import os

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def open_new(path: str) -> int:
    """Create a file, readable by its owner alone whatever the umask; return its fd."""
    fd = os.open(path, _NEW, 0o600)
    os.fchmod(fd, 0o600)
    return fd


def write_new(path: str, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises OSError.

    A file of that name is replaced. What a killed process left half written bears the
    name with `.part` behind it and is written anew.
    """
    part = path + ".part"
    if os.path.lexists(part):
        os.unlink(part)
    fd = open_new(part)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError:
        os.unlink(part)
        raise
    finally:
        os.close(fd)
    os.rename(part, path)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    """Make the names in a directory durable. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
