"""What the worker of a backup keeps while it runs: log, listing cache, progress."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import IO

from sesam.device.durable import open_new
from sesam.service.ground.joblog import JobLog, quoted
from sesam.service.ground.site import Site
from sesam.terms import Piece

_PART = ".part"
Progress = Callable[[int, int], object]


class BackupWatcher:
    """A Watcher that writes the job log and the server's copy of the listing."""

    def __init__(
        self,
        site: Site,
        log: JobLog,
        saveset: str,
        progress: Progress,
        on_media: Callable[[tuple[str, ...]], object],
    ) -> None:
        self._site = site
        self._log = log
        self._progress = progress
        self._on_media = on_media
        self._path = site.listing_path(saveset)
        self._listing: IO[bytes] | None = None

    def say(self, text: str) -> None:
        """Add a line to the job log."""
        self._log.line(self._site.clock(), text)

    def progress(self, files: int, size_bytes: int) -> None:
        self._progress(files, size_bytes)

    def warning(self, path: bytes, reason: str) -> None:
        self._remark("warning", path, reason)

    def note(self, path: bytes, reason: str) -> None:
        self._remark("note", path, reason)

    def _remark(self, kind: str, path: bytes, reason: str) -> None:
        self.say(f"{kind}: {quoted(path)}: {reason}" if path else f"{kind}: {reason}")

    def listing(self, chunk: bytes) -> None:
        """Keep the listing; a cache that cannot be written is no failed backup."""
        try:
            if self._listing is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path + _PART)
                self._listing = os.fdopen(open_new(self._path + _PART), "wb")
            self._listing.write(chunk)
        except OSError as error:
            self.say(f"note: the copy of the listing is not kept: {error.strerror}")
            self._drop()

    def piece(self, piece: Piece) -> None:
        place = piece.place
        where = place.store or f"{place.medium} file {place.file}"
        self.say(
            f"{piece.part} piece {piece.number}: {piece.size_bytes} bytes on {where}"
        )

    def media(self, names: tuple[str, ...]) -> None:
        self.say(f"goes on to {names[-1]}")
        self._on_media(names)

    def keep_listing(self) -> None:
        """The saveset is committed: its listing gets its name."""
        if self._listing is None:
            return
        try:
            self._listing.close()
            os.rename(self._path + _PART, self._path)
        except OSError as error:
            self.say(f"note: the copy of the listing is not kept: {error.strerror}")

    def drop_listing(self) -> None:
        """There is no saveset: its listing goes too."""
        if self._listing is not None:
            self._drop()

    def _drop(self) -> None:
        with contextlib.suppress(OSError):
            if self._listing is not None:
                self._listing.close()
            os.unlink(self._path + _PART)
        self._listing = None


class Remarks:
    """A Watcher for the shell: warnings go to stderr, nothing else is kept."""

    def progress(self, files: int, size_bytes: int) -> None:
        """Nobody looks on."""

    def warning(self, path: bytes, reason: str) -> None:
        sys.stderr.write(f"warning: {quoted(path)}: {reason}\n")

    def note(self, path: bytes, reason: str) -> None:
        sys.stderr.write(f"note: {quoted(path)}: {reason}\n")

    def listing(self, chunk: bytes) -> None:
        """The stored listing is the only one."""

    def piece(self, piece: Piece) -> None:
        """Where it lies is found by who imports it."""

    def media(self, names: tuple[str, ...]) -> None:
        """There is one store."""
