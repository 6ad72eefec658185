"""An Outlet that keeps what a source sends, and does something while it sends."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sesam.saveset.listing import Line
from sesam.saveset.listread import Reading
from sesam.saveset.reader import FramedBlob, listing_text


class Bytes:
    """A Blob over bytes."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @property
    def size(self) -> int:
        return len(self._raw)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._raw[offset : offset + length]

    def close(self) -> None:
        """Nothing is held."""


class Sink:
    """parts by name; warnings, notes as (path, reason); `on_data` sees each chunk."""

    def __init__(self, on_data: Callable[[], object] = lambda: None) -> None:
        self.parts: dict[str, bytes] = {}
        self.warnings: list[tuple[bytes, str]] = []
        self.notes: list[tuple[bytes, str]] = []
        self.totals: Mapping[str, Any] = {}
        self.started: Mapping[str, Any] = {}
        self.indexed = b""
        self._part = ""
        self._on_data = on_data

    def start(self, facts: Mapping[str, object]) -> None:
        self.started = facts

    def begin_part(self, name: str) -> None:
        self._part = name
        self.parts[name] = b""

    def data(self, chunk: bytes) -> None:
        self.parts[self._part] += chunk
        self._on_data()

    def warning(self, path: bytes, reason: str) -> None:
        self.warnings.append((path, reason))

    def note(self, path: bytes, reason: str) -> None:
        self.notes.append((path, reason))

    def index(self, chunk: bytes) -> None:
        self.indexed += chunk

    def tally(self, files: int, size_bytes: int) -> None:
        """Not kept."""

    def end(self, totals: Mapping[str, object]) -> None:
        self.totals = totals

    def lines(self) -> dict[bytes, Line]:
        """The listing by path."""
        part = FramedBlob(Bytes(self.parts["listing.zst"]), "listing.zst")
        try:
            return {one.path: one for one in Reading(listing_text(part)).objects()}
        finally:
            part.close()

    def unpack(self, target: Path) -> None:
        """Let zstd and tar unpack the data; a tar that is not well-formed fails."""
        target.mkdir()
        data = b"".join(
            self.parts[name] for name in sorted(self.parts) if name.startswith("data-")
        )
        subprocess.run(
            ["sh", "-c", f"zstd -dc | tar x -C {target}"], input=data, check=True
        )
