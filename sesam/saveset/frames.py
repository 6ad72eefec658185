"""Frames: plain bytes to independent zstd frames and back, in worker threads.

Each frame is complete in itself: content size and checksum are in it, so that it can be
read, and its damage found, without its neighbours.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import local
from typing import Any, TypeVar

import zstandard

from sesam.errors import Damaged

FRAME_BYTES = 1 << 20
# A frame holds small objects whole and so can exceed FRAME_BYTES; nothing we write
# exceeds this, and a reader refuses more instead of taking that much memory.
FRAME_LIMIT = 64 << 20
_MAGIC = b"\x28\xb5\x2f\xfd"
_SAMPLE = 16 << 10
_THREADS = 2
_INCOMPRESSIBLE = 0.97


class Compressor:
    """Turns plain frames into zstd frames, two at a time, in the order they came.

    take -- called with (frame, plain size) in the thread that calls `put` and `finish`
    """

    def __init__(
        self, level: int, take: Callable[[bytes, int], None], threads: int = _THREADS
    ) -> None:
        self._level = level
        self._take = take
        self._ahead = 2 * threads + 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="zstd")
        self._own = local()
        self._waiting: deque[tuple[Future[bytes], int]] = deque()

    def put(self, plain: bytes) -> None:
        """Compress one frame; blocks while enough are on their way."""
        self._waiting.append((self._pool.submit(self._compress, plain), len(plain)))
        while len(self._waiting) > self._ahead or (
            self._waiting and self._waiting[0][0].done()
        ):
            self._hand_on()

    def finish(self) -> None:
        """Hand on all frames that are still on their way."""
        while self._waiting:
            self._hand_on()

    def close(self) -> None:
        """End the threads; what is still on its way is given up."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hand_on(self) -> None:
        frame, size = self._waiting.popleft()
        self._take(frame.result(), size)

    def _compress(self, plain: bytes) -> bytes:
        own = self._own
        if not hasattr(own, "full"):
            own.full = _compressor(self._level)
            own.quick = _compressor(min(self._level, 1))
        packer = own.quick if _looks_random(own.quick, plain) else own.full
        return bytes(packer.compress(plain))


def _compressor(level: int) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(
        level=level, write_checksum=True, write_content_size=True
    )


def _looks_random(quick: zstandard.ZstdCompressor, plain: bytes) -> bool:
    # Half of the time on large files goes into looking for matches in bytes that have
    # none. Three samples at level 1 cost 1 % of that and tell.
    if len(plain) < 8 * _SAMPLE:
        return False
    step = (len(plain) - _SAMPLE) // 2
    view = memoryview(plain)
    return all(
        len(quick.compress(view[at : at + _SAMPLE])) > _SAMPLE * _INCOMPRESSIBLE
        for at in range(0, len(plain), step)
        if at + _SAMPLE <= len(plain)
    )


def compress(plain: bytes, level: int) -> bytes:
    """Return one frame."""
    return _compressor(level).compress(plain)


def decompress(frame: bytes, size: int, name: str) -> bytes:
    """Return the plain bytes of one frame; `size` is what the seek table promised.

    Raises Damaged when it is no frame, its checksum is wrong or its size another.
    """
    if size > FRAME_LIMIT or frame[:4] != _MAGIC:
        raise Damaged(f'"{name}" holds something else where a frame should be')
    try:
        if zstandard.frame_content_size(frame) != size:
            raise Damaged(
                f'a frame of "{name}" has another size than its seek table says'
            )
        plain = _own_decompressor().decompress(frame, allow_extra_data=False)
        return bytes(plain)
    except zstandard.ZstdError as error:
        raise Damaged(f'a frame of "{name}" is damaged: {error}') from error


_decompressors = local()


def _own_decompressor() -> Any:
    own = getattr(_decompressors, "own", None)
    if own is None:
        own = _decompressors.own = zstandard.ZstdDecompressor(
            max_window_size=FRAME_LIMIT
        )
    return own


_T = TypeVar("_T")
_R = TypeVar("_R")


def in_order(
    work: Callable[[_T], _R], items: Iterable[_T], threads: int = _THREADS
) -> Iterator[_R]:
    """Yield work(item) in the order of the items, computed ahead in threads."""
    with ThreadPoolExecutor(threads, thread_name_prefix="zstd") as pool:
        ahead: deque[Future[_R]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) > 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
