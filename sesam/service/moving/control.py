"""A mover driven from afar: JSON lines in, JSON lines out (man 8 sm_sms).

The first line in is the job: {"mover": ..., "source": ..., "source_argv": [...],
"lease_s": N}, and behind it the base's listing, where the source's job has one. Then
{"renew": true}, each within the lease time, and {"stop": true}.
No line in time, or end of file, and the mover stops at once and keeps nothing. Out go
progress, warning, note, listing, piece, media, and last `done` or `error`.
"""

import base64
import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any

from sesam.device.directory import FileBlob
from sesam.errors import ClientError, Interrupted, SesamError, UnknownFormat
from sesam.saveset import manifest
from sesam.service.moving import moverjob
from sesam.service.moving.mover import Mover, Written
from sesam.service.moving.targets import open_writer
from sesam.service.sending import handing, sourcejob
from sesam.service.sending.source import Source
from sesam.service.sending.sourcelink import SourceCall, run_source
from sesam.terms import Part, Piece, Place

LINE_LIMIT = 64 << 20


class _Orders:
    """What comes in on stdin, seen by a thread: stop, or silence for too long."""

    def __init__(self, lines: IO[bytes], lease_s: float) -> None:
        self._lines = lines
        self._lease_s = lease_s
        self._seen: queue.Queue[bytes] = queue.Queue()
        self.told = threading.Event()
        self.alone = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def stopped(self) -> bool:
        return self.told.is_set() or self.alone.is_set()

    def _read(self) -> None:
        for line in self._lines:
            self._seen.put(line)
        self._seen.put(b"")

    def _watch(self) -> None:
        while True:
            try:
                line = self._seen.get(timeout=self._lease_s)
            except queue.Empty:
                break
            if not line:
                break
            if b'"stop"' in line:
                self.told.set()
        self.alone.set()


class _Reports:
    """A Watcher that writes each thing as a JSON line."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines

    def send(self, kind: str, **facts: object) -> None:
        self._lines.write(json.dumps({"type": kind, **facts}).encode() + b"\n")
        self._lines.flush()

    def progress(self, files: int, size_bytes: int) -> None:
        self.send("progress", files=files, bytes=size_bytes)

    def warning(self, path: bytes, reason: str) -> None:
        self.send("warning", path_b64=_base64(path), reason=reason)

    def note(self, path: bytes, reason: str) -> None:
        self.send("note", path_b64=_base64(path), reason=reason)

    def listing(self, chunk: bytes) -> None:
        self.send("listing", data_b64=_base64(chunk))

    def piece(self, piece: Piece) -> None:
        self.send("piece", piece=asdict(piece))

    def media(self, names: tuple[str, ...]) -> None:
        self.send("media", media=list(names))


def serve(
    stdin: IO[bytes],
    stdout: IO[bytes],
    *,
    clock: Callable[[], datetime],
) -> None:
    """Carry out the one job that comes in. Raises SesamError after reporting it."""
    reports = _Reports(stdout)
    try:
        order = _order(stdin.readline(LINE_LIMIT))
        job = moverjob.decode(order["mover"])
        source = sourcejob.decode(json.dumps(order["source"]))
        with handing.received(source, stdin) as base:
            orders = _Orders(stdin, float(order["lease_s"]))
            mover = Mover(job, open_writer(job, reports.note), reports)
            try:
                argv = list(order["source_argv"])
                _run(argv, source, base, mover, orders)
                written = mover.complete(clock())
            except BaseException:
                mover.abandon()
                raise
    except SesamError as error:
        reports.send("error", message=str(error), hint=error.hint, code=error.exit_code)
        raise
    reports.send("done", **encode_written(written))


def _run(
    argv: list[str],
    job: sourcejob.SourceJob,
    base: FileBlob | None,
    mover: Mover,
    orders: _Orders,
) -> None:
    """Run the source, in this process where no argv is given."""
    try:
        if argv:
            call = SourceCall(argv, job, base.path if base else "")
            run_source(call, mover, orders.stopped, lost=orders.alone.is_set)
        else:
            Source(job, mover, stopped=orders.stopped, base=base).run()
    except (ClientError, Interrupted):
        if not orders.alone.is_set():
            raise
    if orders.alone.is_set():
        raise Interrupted("the server no longer renews the lease of this mover")


def encode_written(written: Written) -> dict[str, Any]:
    """Return what a mover has written as JSON values; the manifest is on the medium."""
    return {
        "manifest_b64": _base64(manifest.encode(written.manifest)),
        "manifest_part": asdict(written.manifest_part),
        "pieces": [asdict(piece) for piece in written.pieces],
        "media": list(written.media),
    }


def decode_written(facts: Mapping[str, Any]) -> Written:
    """Return what a mover has written. Raises UnknownFormat."""
    try:
        return Written(
            manifest.decode(base64.b64decode(facts["manifest_b64"], validate=True)),
            Part(**facts["manifest_part"]),
            tuple(decode_piece(one) for one in facts["pieces"]),
            tuple(facts["media"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownFormat(f"the mover's last line cannot be read: {error}") from error


def decode_piece(facts: Mapping[str, Any]) -> Piece:
    """Return a piece from JSON values. Raises KeyError, TypeError."""
    return Piece(**{**facts, "place": Place(**facts["place"])})


def _order(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
        for key in ("mover", "source", "source_argv", "lease_s"):
            found[key]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnknownFormat("the first line is no job for a mover") from error
    return dict(found)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
