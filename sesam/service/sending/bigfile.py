"""The content of a large or sparse file, streamed into the tar extent by extent."""

import os
from collections.abc import Callable, Sequence

from sesam.client import content
from sesam.digest import Digest
from sesam.saveset import tarhead
from sesam.saveset.attributes import sparse_map, sparse_name, sparse_records
from sesam.saveset.frames import FRAME_BYTES
from sesam.saveset.listing import HOLDS
from sesam.saveset.parts import SegmentWriter
from sesam.saveset.tarhead import padding
from sesam.service.sending.pen import Pen

_BLOCK = _LEAST = 512


def save_large(
    pen: Pen,
    path: bytes,
    fd: int,
    found: os.stat_result,
    stopped: Callable[[], bool],
) -> None:
    """Save a file that does not fit one frame, or has holes."""
    size, tar = found.st_size, pen.tar
    mark = pen.is_recent(found)
    try:
        extents = _extents(fd, found)
    except OSError as error:
        return pen.unread(path, found, error)
    more = pen.attributes(path, fd) or []
    name, content_bytes, map_bytes = path[1:], sum(extents[1::2]), 0
    if content_bytes != size:
        map_bytes = sum(map(len, sparse_map(extents, size)))
        more = [*sparse_records(name, size), *more]
        name = sparse_name(name)
    head = tarhead.member(
        name,
        tarhead.FILE,
        found.st_mode & 0o7777,
        content.owner(found.st_uid, found.st_gid),
        map_bytes + content_bytes,
        found.st_mtime_ns,
        more=more,
    )
    tar.room_for(len(head) + map_bytes + content_bytes)
    place = HOLDS, tar.segment, tar.offset
    tar.add(head)
    into = _Content(tar)
    if map_bytes:
        for chunk in sparse_map(extents, size):
            into.add(chunk)
    missing = _stream(fd, extents, into, stopped)
    tar.stream(padding(map_bytes + content_bytes))
    changed = _is_changed(fd, found)
    if missing:
        pen.report(path, f"could not be read whole: zeros stand for {missing} bytes")
    elif changed:
        pen.report(path, "changed while it was read")
    pen.size_bytes += content_bytes
    text = into.digest.hexdigest().encode()
    if found.st_nlink > 1:
        pen.links.remember(found, path[1:], place, text)
    pen.line(path, b"f", found, text, place, mark=mark or changed or missing > 0)
    return None


class _Content:
    """Content on its way into the tar, and its digest."""

    def __init__(self, tar: SegmentWriter) -> None:
        self._tar = tar
        self.digest = Digest()

    def room(self) -> int:
        """Return how many bytes end the frame that is open."""
        return max(FRAME_BYTES - self._tar.held, _LEAST)

    def add(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self._tar.stream(chunk)


def _extents(fd: int, found: os.stat_result) -> Sequence[int]:
    if found.st_blocks * _BLOCK < found.st_size:
        return content.extents(fd, found.st_size)
    return [0, found.st_size]


def _is_changed(fd: int, found: os.stat_result) -> bool:
    try:
        now = os.fstat(fd)
    except OSError:
        return True
    return (now.st_ctime_ns, now.st_size) != (found.st_ctime_ns, found.st_size)


def _stream(
    fd: int, extents: Sequence[int], into: _Content, stopped: Callable[[], bool]
) -> int:
    """Stream the extents of an open file; return the bytes made up as zeros.

    The header has promised a size: what the file no longer has, or what cannot be read,
    is filled up, so that the tar stays well-formed whatever happens.
    """
    return sum(
        _extent(fd, extents[at], extents[at + 1], into, stopped)
        for at in range(0, len(extents), 2)
    )


def _extent(
    fd: int, at: int, length: int, into: _Content, stopped: Callable[[], bool]
) -> int:
    end = at + length
    while at < end:
        want = min(end - at, into.room())
        try:
            chunk = b"" if stopped() else os.pread(fd, want, at)
        except OSError:
            chunk = b""
        if not chunk:
            _zeros(end - at, into)
            return end - at
        into.add(chunk)
        at += len(chunk)
    return 0


def _zeros(count: int, into: _Content) -> None:
    for at in range(0, count, FRAME_BYTES):
        into.add(bytes(min(FRAME_BYTES, count - at)))
