"""The server's copies of listings, in clear: a cache that can be lost any time."""

import contextlib
import os
from collections.abc import Iterator

from sesam.device.directory import FileBlob
from sesam.device.durable import open_new
from sesam.digest import Digest
from sesam.errors import Damaged, SesamError
from sesam.ports import Blob
from sesam.saveset import listread
from sesam.saveset.reader import FramedBlob, listing_text

_PART = ".part"
_CHUNK = 1 << 20


def cached(path: str, *, digest: str = "", thorough: bool = True) -> str:
    """Return the path of a copy that is whole, "" where there is none.

    digest -- xxh3-128 of the whole copy, "" where it is not known
    thorough -- read to its end before anything relies on it; else its end alone, and
    each frame's checksum tells when it is read. Its time of use is noted.
    """
    try:
        part = FramedBlob(FileBlob(path), os.path.basename(path))
    except (OSError, SesamError):
        return ""
    try:
        if thorough and digest:
            if _digest(path) != digest:
                return ""
        elif thorough:
            listread.check(listing_text(part))
        elif not part.read_at(part.size - 1, 1):
            return ""
        os.utime(path)
    except (OSError, SesamError):
        return ""
    finally:
        part.close()
    return path


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        digest = Digest()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def keep(path: str, stored: Blob) -> str:
    """Write a listing, as stored in clear, as the server's copy; return its path.

    Raises OSError where it cannot be written, Damaged, DeviceError where it cannot be
    read. What was there is replaced.
    """
    part = path + _PART
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    with os.fdopen(open_new(part), "wb") as file:
        for at in range(0, stored.size, _CHUNK):
            file.write(stored.read_at(at, _CHUNK))
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)
    if not cached(path):
        os.unlink(path)
        raise Damaged(f'the listing "{os.path.basename(path)}" is damaged')
    return path


def text(path: str) -> Iterator[bytes]:
    """Yield the plain text of a copy, a frame at a time. Raises OSError, Damaged.

    A copy that is found damaged is dropped: the next command fetches it anew.
    """
    part = FramedBlob(FileBlob(path), os.path.basename(path))
    try:
        yield from listing_text(part)
    except Damaged as error:
        os.unlink(path)
        raise Damaged(f"{error}; this copy is dropped, run it again") from error
    finally:
        part.close()
