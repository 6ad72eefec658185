"""The content of a large or sparse file, streamed into the tar extent by extent."""

import os
from collections.abc import Callable, Iterable

from sesam.digest import Digest
from sesam.saveset.frames import FRAME_BYTES
from sesam.saveset.parts import SegmentWriter

_LEAST = 512


def stream_extents(
    fd: int,
    extents: Iterable[tuple[int, int]],
    tar: SegmentWriter,
    digest: Digest,
    stopped: Callable[[], bool],
) -> int:
    """Stream the extents of an open file; return the bytes made up as zeros.

    The header has promised a size: what the file no longer has, or what cannot be read,
    is filled up, so that the tar stays well-formed whatever happens.
    """
    return sum([_extent(fd, at, size, tar, digest, stopped) for at, size in extents])


def _extent(
    fd: int,
    at: int,
    length: int,
    tar: SegmentWriter,
    digest: Digest,
    stopped: Callable[[], bool],
) -> int:
    end = at + length
    while at < end:
        want = min(end - at, max(FRAME_BYTES - tar.held, _LEAST))
        try:
            chunk = b"" if stopped() else os.pread(fd, want, at)
        except OSError:
            chunk = b""
        if not chunk:
            _zeros(end - at, tar, digest)
            return end - at
        digest.update(chunk)
        tar.stream(chunk)
        at += len(chunk)
    return 0


def _zeros(count: int, tar: SegmentWriter, digest: Digest) -> None:
    for at in range(0, count, FRAME_BYTES):
        chunk = bytes(min(FRAME_BYTES, count - at))
        digest.update(chunk)
        tar.stream(chunk)
