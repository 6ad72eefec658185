"""What a directory says of itself: that it is a cache, a data store, not wanted."""

import os

CACHE_TAG = b"CACHEDIR.TAG"
CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
_STORE_MARKER = b".sesam-store"
_STORE_SIGN = b'"sesam_store"'
_MARKER_BYTES = 4096


def is_cache(fd: int) -> bool:
    """Tell whether the directory bears a tag of https://bford.info/cachedir/."""
    return _beginning(fd, CACHE_TAG).startswith(CACHE_SIGNATURE)


def is_store(fd: int) -> bool:
    """Tell whether the directory is a data store, whichever site's."""
    return _STORE_SIGN in _beginning(fd, _STORE_MARKER)


def holds(fd: int, name: bytes) -> bool:
    """Tell whether the directory has an entry of that name."""
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def _beginning(fd: int, name: bytes) -> bytes:
    """Return the first bytes of a file in the directory, b"" where there is none."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return b""
    try:
        return os.read(file, _MARKER_BYTES)
    except OSError:
        return b""
    finally:
        os.close(file)
