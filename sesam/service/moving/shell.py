"""A saveset written from the shell: a stream on stdin, a data store, no catalog."""

import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import IO, Any

from sesam.device.directory import DirectoryStore, read_marker
from sesam.device.directory_writer import DirectoryWriter
from sesam.errors import StoreMissing
from sesam.rules.naming import RANDOM_BYTES, saveset_name
from sesam.saveset.stream import replay
from sesam.service.moving.mover import Mover
from sesam.service.moving.moverjob import MoverJob
from sesam.service.moving.worker import Remarks
from sesam.terms import Level

_RETENTION_DAYS = 30


def write_stream(
    path: str, stream: IO[bytes], clock: Callable[[], datetime]
) -> dict[str, Any]:
    """Write the stream of a source into the store at `path`; return what was written.

    Raises StoreMissing, SourceLost, UnknownFormat, MediumFull: then nothing is kept.
    """
    marker = read_marker(path)
    if marker is None:
        raise StoreMissing(f'"{path}" bears no marker of a store')
    site_id = str(marker.get("site"))
    store = DirectoryStore(str(marker.get("store")), path, site_id)
    started_at = clock()
    writer = _Late(store, site_id, started_at)
    try:
        replay(stream, writer)
        written = writer.mover.complete(clock())
    except BaseException:
        writer.abandon()
        raise
    facts = written.manifest
    return {
        "saveset": facts.name,
        "level": facts.level.value,
        "base": facts.base or None,
        "state": facts.state.value,
        "files": facts.files,
        "bytes": facts.bytes,
        "stored_bytes": written.stored_bytes,
        "warnings": facts.warnings,
    }


class _Late:
    """An Outlet that makes its mover when the stream has said what it holds."""

    def __init__(
        self, store: DirectoryStore, site_id: str, started_at: datetime
    ) -> None:
        self._store = store
        self._site_id, self._started_at = site_id, started_at
        self._mover: Mover | None = None

    @property
    def mover(self) -> Mover:
        assert self._mover is not None
        return self._mover

    def start(self, facts: Mapping[str, object]) -> None:
        source = facts.get("source")
        client = source.get("client") if isinstance(source, dict) else ""
        recipients = facts.get("recipients")
        base = str(facts.get("base") or "")
        level = Level.INCR if base else Level.FULL
        name = saveset_name(level, self._started_at, os.urandom(RANDOM_BYTES))
        job = MoverJob(
            saveset=name,
            site=self._site_id,
            task="",
            client=str(client or socket.gethostname()),
            level=level,
            base=base,
            backup_day=self._started_at.date(),
            started_at=self._started_at,
            pool="",
            retention_days=_RETENTION_DAYS,
            source_digest=str(facts.get("digest")),
            recipients=tuple(map(str, recipients))
            if isinstance(recipients, list)
            else (),
        )
        writer = DirectoryWriter([self._store], name)
        self._mover = Mover(job, writer, Remarks())
        self._mover.start(facts)

    def abandon(self) -> None:
        if self._mover is not None:
            self._mover.abandon()

    def begin_part(self, name: str) -> None:
        self.mover.begin_part(name)

    def data(self, chunk: bytes | memoryview) -> None:
        self.mover.data(chunk)

    def warning(self, path: bytes, reason: str) -> None:
        self.mover.warning(path, reason)

    def note(self, path: bytes, reason: str) -> None:
        self.mover.note(path, reason)

    def index(self, chunk: bytes) -> None:
        self.mover.index(chunk)

    def tally(self, files: int, size_bytes: int) -> None:
        self.mover.tally(files, size_bytes)

    def end(self, totals: Mapping[str, object]) -> None:
        self.mover.end(totals)
