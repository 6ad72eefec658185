"""The log of one job: what it did and what it could not do, a line each."""

import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from sesam.errors import CatalogError
from sesam.service.ground.site import Site, make_private


class JobLog:
    """A file of lines, each with its time in the site's zone; 0600.

    Written through at each line: what a killed job has logged stays.
    """

    def __init__(self, path: str, zone: ZoneInfo) -> None:
        self.path = path
        self._zone = zone
        try:
            make_private(os.path.dirname(path))
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.fchmod(fd, 0o600)
        except OSError as error:
            raise CatalogError(
                f'the log "{path}" cannot be written: {error.strerror}'
            ) from error
        self._file: TextIO = os.fdopen(fd, "a", encoding="utf-8", errors="replace")

    def line(self, now: datetime, text: str) -> None:
        """Add a line. A full disk must not end a backup: then it is lost."""
        stamp = now.astimezone(self._zone).isoformat(timespec="seconds")
        try:
            self._file.write(f"{stamp} {text}\n")
            self._file.flush()
        except OSError:
            return

    def close(self) -> None:
        try:
            self._file.close()
        except OSError:
            return


@contextlib.contextmanager
def lines_of(path: str, site: Site) -> Iterator[Callable[[str], object]]:
    """Yield what adds lines to a log; where that cannot be written they are lost.

    For scripts of the admin: a full disk is what they are to be told of.
    """
    try:
        log = JobLog(path, site.zone)
    except CatalogError:
        yield lambda text: None
        return
    try:
        yield lambda text: log.line(site.clock(), text)
    finally:
        log.close()


def quoted(path: bytes) -> str:
    """Return a path as it stands in a log: one line, whatever its bytes."""
    text = path.decode("utf-8", "backslashreplace")
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + '"'


def counted(number: int, word: str) -> str:
    """Return a number with its word.

    >>> counted(1, "object"), counted(0, "object")
    ('1 object', '0 objects')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
