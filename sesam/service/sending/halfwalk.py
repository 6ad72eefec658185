"""The process that walks over the later half of a job's sources.

On stdin come, a line each: the file of the base's listing, the frame to begin with,
the path of its first line in hex, and the job. What it finds goes to stdout.
"""

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from sesam.device.directory import FileBlob
from sesam.rules.paths import walk_key
from sesam.saveset.listing import NAME
from sesam.saveset.listread import Reading
from sesam.saveset.reader import FramedBlob, listing_text
from sesam.service.ground import records
from sesam.service.ground.helper import end_with_parent
from sesam.service.sending import sourcejob
from sesam.service.sending.base import Base
from sesam.service.sending.merge import Merge
from sesam.service.sending.walking import walk_of

_LINES_BYTES = 256 << 10


class _Finds:
    """Writes down what is found from the path `begin` on; it counts no lines."""

    objects = 0

    def __init__(self, file: BinaryIO, begin: bytes) -> None:
        self._file = file
        self._begin = walk_key(begin)
        self._lines: list[bytes] = []
        self._held = 0
        self.base: Base | None = None

    def add(self, line: bytes) -> None:
        self.add_all((line,))

    def add_all(self, lines: Sequence[bytes]) -> None:
        self._lines += lines
        self._held += sum(map(len, lines))
        if self._held >= _LINES_BYTES:
            self.flush()

    def gone(self, path: bytes) -> None:
        self._put(records.GONE, path)

    def save(self, letter: bytes, path: bytes, known: bool) -> None:
        self._put(records.KNOWN if known else records.NEW, letter + path)

    def report(self, path: bytes, why: str) -> None:
        self._say(records.REPORT, path, why)

    def note(self, path: bytes, why: str) -> None:
        self._say(records.NOTE, path, why)

    def unread(self, path: bytes, why: str) -> None:
        assert self.base is not None
        self.base.keep_below(path)
        self._say(records.UNREAD, path, why)

    def _say(self, kind: bytes, path: bytes, why: str) -> None:
        # What lies on the way is said by who walks over the first half.
        if walk_key(path) >= self._begin:
            self._put(kind, records.remark(path, why))

    def _put(self, kind: bytes, data: bytes) -> None:
        self.flush()
        records.write(self._file, kind, data)

    def flush(self) -> None:
        if self._lines:
            records.write(self._file, records.LINES, b"".join(self._lines))
            self._lines.clear()
            self._held = 0


class _Merge(Merge):
    """Writes down what is to be saved."""

    def __init__(self, base: Base, finds: _Finds) -> None:
        super().__init__(base, lambda *of_object: None, finds)
        self._finds = finds

    def save(
        self,
        path: bytes,
        dir_fd: int,
        name: bytes,
        found: os.stat_result | None,
        *,
        known: bool,
    ) -> None:
        self._finds.save(records.letter_of(found), path, known)


def main() -> None:
    """Walk, and write down what is found; a failure is an exit code alone."""
    end_with_parent()
    listing, frame, begin_hex, job_line = sys.stdin.buffer.read().splitlines()
    job, begin = sourcejob.decode(job_line.decode()), bytes.fromhex(begin_hex.decode())
    part = FramedBlob(FileBlob(os.fsdecode(listing)), NAME)
    file = sys.stdout.buffer
    finds = _Finds(file, begin)
    text = listing_text(part, int(frame))
    base = Base(
        job.base,
        Reading(text, source=job.definition()),
        job.definition(),
        keep=finds.add,
        gone=finds.gone,
    )
    finds.base = base
    merge, begins = _Merge(base, finds), walk_key(begin)
    leading = True
    walk = walk_of(
        job, report=finds.report, note=finds.note, unread=finds.unread, begin=begin
    )
    for prefix, fd, names, found in walk:
        if leading:
            names = [one for one in names if walk_key(prefix + one) >= begins]
            leading = not names
        merge.save_all(prefix, fd, names, found)
    base.finish()
    finds.flush()
    file.flush()


if __name__ == "__main__":
    main()
