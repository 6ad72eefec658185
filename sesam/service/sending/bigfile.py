"""The content of a large or sparse file, streamed into the tar extent by extent."""

import os
from collections.abc import Callable, Iterable

from sesam.client import content
from sesam.digest import Digest
from sesam.saveset import tarhead
from sesam.saveset.attributes import sparse_map, sparse_name, sparse_records
from sesam.saveset.frames import FRAME_BYTES
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
    size = found.st_size
    mark = pen.is_recent(found)
    extents = [(0, size)]
    if found.st_blocks * _BLOCK < size:
        extents = content.extents(fd, size)
    more = pen.attributes(path, fd) or []
    name, stored, holes = path[1:], size, b""
    if extents != [(0, size)]:
        holes = sparse_map(extents, size)
        stored = len(holes) + sum(length for _, length in extents)
        more = [*sparse_records(name, size), *more]
        name = sparse_name(name)
    head = tarhead.member(
        name,
        tarhead.FILE,
        found.st_mode & 0o7777,
        content.owner(found.st_uid, found.st_gid),
        stored,
        found.st_mtime_ns,
        more=more,
    )
    tar = pen.tar
    tar.room_for(len(head) + stored)
    place = b".", tar.segment, tar.offset
    tar.add(head)
    digest = Digest(holes)
    tar.stream(holes)
    missing = _stream(fd, extents, tar, digest, stopped)
    tar.stream(padding(stored))
    after = os.fstat(fd)
    if missing:
        pen.report(path, f"could not be read whole: zeros stand for {missing} bytes")
    elif (after.st_ctime_ns, after.st_size) != (found.st_ctime_ns, size):
        pen.report(path, "changed while it was read")
    mark = mark or missing > 0 or after.st_ctime_ns != found.st_ctime_ns
    pen.size_bytes += stored - len(holes)
    text = digest.hexdigest().encode()
    if found.st_nlink > 1:
        pen.links.remember(found, path[1:], place, text)
    pen.line(path, b"f", found, text, place, mark=mark)


def _stream(
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
