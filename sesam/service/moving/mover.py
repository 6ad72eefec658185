"""The mover: takes what a source sends and writes it as pieces onto media.

It compresses nothing, encrypts nothing and never needs a key. Parts are written as they
come, each piece digested and made durable; the manifest is made here, and written last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sesam import __version__
from sesam.digest import Digest, hexdigest
from sesam.errors import SourceLost, UnknownFormat
from sesam.ports import PieceWriter
from sesam.saveset import manifest
from sesam.saveset.listing import NAME as LISTING
from sesam.saveset.manifest import FORMAT, Manifest
from sesam.service.moving.moverjob import MoverJob
from sesam.terms import Part, Piece, State

_COUNTS = ("files", "changed", "deleted", "bytes", "skipped", "warnings")


class Watcher(Protocol):
    """Learns what a mover sees: the worker of the job, in this process or far away."""

    def progress(self, files: int, size_bytes: int) -> None: ...
    def warning(self, path: bytes, reason: str) -> None: ...
    def note(self, path: bytes, reason: str) -> None: ...
    def listing(self, chunk: bytes) -> None: ...
    def piece(self, piece: Piece) -> None: ...
    def media(self, names: tuple[str, ...]) -> None: ...


@dataclass(frozen=True, slots=True)
class Written:
    """What a mover has made durable."""

    manifest: Manifest
    manifest_part: Part
    pieces: tuple[Piece, ...]
    media: tuple[str, ...]

    @property
    def stored_bytes(self) -> int:
        return sum(piece.size_bytes for piece in self.pieces)


class Mover:
    """An Outlet that writes one saveset.

    After the source's `end`, `complete` writes the manifest; whatever fails before,
    `abandon` leaves nothing of the saveset behind.
    """

    def __init__(self, job: MoverJob, writer: PieceWriter, watcher: Watcher) -> None:
        self._job = job
        self._writer = writer
        self._watcher = watcher
        self._parts: list[Part] = []
        self._pieces: list[Piece] = []
        self._part = ""
        self._totals: Mapping[str, object] | None = None

    def start(self, facts: Mapping[str, object]) -> None:
        if facts.get("digest") != self._job.source_digest:
            raise UnknownFormat("the source reads something else than it was told")

    def begin_part(self, name: str) -> None:
        if self._part:
            self._end_part()
        if not _is_part(name) or any(part.name == name for part in self._parts):
            raise UnknownFormat(f"the source sends a part of unknown name {name!r}")
        self._part = name
        self._part_digest = Digest()
        self._part_size = 0
        self._number = 0
        self._begin_piece()

    def data(self, chunk: bytes | memoryview) -> None:
        self._part_digest.update(chunk)
        self._part_size += len(chunk)
        if self._part == LISTING:
            self._watcher.listing(bytes(chunk))
        view = memoryview(chunk)
        taken = self._writer.write(view)
        while taken < len(view):
            self._took(view[:taken])
            view = view[taken:]
            if self._piece_size:
                self._end_piece()
            else:
                self._writer.drop()
                self._number -= 1
            self._writer.next_medium()
            self._watcher.media(self._writer.media())
            self._begin_piece()
            taken = self._writer.write(view)
        self._took(view)

    def warning(self, path: bytes, reason: str) -> None:
        self._watcher.warning(path, reason)

    def note(self, path: bytes, reason: str) -> None:
        self._watcher.note(path, reason)

    def index(self, chunk: bytes) -> None:
        self._watcher.listing(bytes(chunk))

    def tally(self, files: int, size_bytes: int) -> None:
        self._watcher.progress(files, size_bytes)

    def end(self, totals: Mapping[str, object]) -> None:
        if self._part:
            self._end_part()
        self._totals = totals

    def complete(self, ended_at: datetime) -> Written:
        """Write the manifest; on return the saveset is complete and durable.

        Raises SourceLost where no end has come, MediumFull, DeviceError.
        """
        if self._totals is None:
            raise SourceLost("the source ended before it had sent everything")
        facts = self._manifest(self._totals, ended_at)
        stored = manifest.encode(facts)
        self._part = manifest.NAME
        self._part_digest, self._part_size, self._number = Digest(), 0, 0
        self._begin_piece()
        self.data(stored)
        self._end_piece()
        self._writer.finish()
        part = Part(manifest.NAME, len(stored), hexdigest(stored))
        return Written(facts, part, tuple(self._pieces), self._writer.media())

    def abandon(self) -> None:
        """Leave nothing of the saveset on the media."""
        self._writer.abandon()

    def _begin_piece(self) -> None:
        self._number += 1
        self._piece_digest = Digest()
        self._piece_size = 0
        self._writer.begin(self._part, self._number)

    def _took(self, view: memoryview) -> None:
        self._piece_digest.update(view)
        self._piece_size += len(view)

    def _end_piece(self) -> None:
        place = self._writer.end()
        digest = self._piece_digest.hexdigest()
        piece = Piece(self._part, self._number, place, self._piece_size, digest)
        self._pieces.append(piece)
        self._watcher.piece(piece)

    def _end_part(self) -> None:
        self._end_piece()
        digest = self._part_digest.hexdigest()
        self._parts.append(Part(self._part, self._part_size, digest))
        self._part = ""

    def _manifest(self, totals: Mapping[str, object], ended_at: datetime) -> Manifest:
        job = self._job
        counts = {key: _count(totals, key) for key in _COUNTS}
        return Manifest(
            name=job.saveset,
            site=job.site,
            task=job.task,
            client=job.client,
            level=job.level,
            base=job.base,
            state=_state(totals),
            backup_day=job.backup_day,
            started_at=job.started_at,
            ended_at=ended_at,
            source_digest=job.source_digest,
            recipients=job.recipients,
            pool=job.pool,
            retention_days=job.retention_days,
            parts=tuple(self._parts),
            program=f"sesam {__version__}",
            format=FORMAT,
            **counts,
        )


def _is_part(name: str) -> bool:
    bare = name.removesuffix(".age")
    segment = bare.startswith("data-") and bare.endswith(".tar.zst")
    number = bare.removeprefix("data-").removesuffix(".tar.zst")
    return bare == LISTING or (segment and number.isdecimal() and len(number) >= 4)


def _count(totals: Mapping[str, object], key: str) -> int:
    value = totals.get(key)
    if not isinstance(value, int) or value < 0:
        raise UnknownFormat(f'the end of the source has no count "{key}"')
    return value


def _state(totals: Mapping[str, object]) -> State:
    try:
        return State(str(totals.get("state")))
    except ValueError as error:
        raise UnknownFormat("the end of the source has no state") from error
