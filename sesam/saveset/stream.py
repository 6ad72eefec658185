"""The wire between source and mover: a sequence of records (man 5 sesam-stream).

A record is one byte of type, its length as four bytes big-endian, and so many bytes.
The last one is `end`: it carries the digest of all data before it, and without it
nothing of the stream may be committed.
"""

import base64
import json
from collections.abc import Mapping
from typing import IO

from sesam.digest import Digest
from sesam.errors import SourceLost, UnknownFormat
from sesam.ports import Outlet

VERSION = 1
RECORD_LIMIT = 4 << 20

START, PART, DATA, WARNING, NOTE, INDEX, TALLY, END = b"SPDWNITE"
_HEAD_BYTES = 5


class StreamWriter:
    """An Outlet that writes records to a pipe. Raises SourceLost where it is cut."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._digest = Digest()

    def start(self, facts: Mapping[str, object]) -> None:
        self._json(START, {"stream": VERSION, **facts})

    def begin_part(self, name: str) -> None:
        self._put(PART, name.encode())

    def data(self, chunk: bytes | memoryview) -> None:
        self._digest.update(chunk)
        self._cut(DATA, chunk)

    def warning(self, path: bytes, reason: str) -> None:
        self._json(WARNING, _remark(path, reason))

    def note(self, path: bytes, reason: str) -> None:
        self._json(NOTE, _remark(path, reason))

    def index(self, chunk: bytes) -> None:
        self._cut(INDEX, chunk)

    def tally(self, files: int, size_bytes: int) -> None:
        self._json(TALLY, {"files": files, "bytes": size_bytes})
        self._flush()

    def end(self, totals: Mapping[str, object]) -> None:
        self._json(END, {**totals, "digest": self._digest.hexdigest()})
        self._flush()

    def _cut(self, kind: int, chunk: bytes | memoryview) -> None:
        view = memoryview(chunk)
        for at in range(0, len(view), RECORD_LIMIT):
            self._put(kind, view[at : at + RECORD_LIMIT])

    def _json(self, kind: int, facts: Mapping[str, object]) -> None:
        self._put(kind, json.dumps(facts).encode())

    def _put(self, kind: int, payload: bytes | memoryview) -> None:
        try:
            self._pipe.write(bytes((kind,)) + len(payload).to_bytes(4, "big"))
            self._pipe.write(payload)
        except OSError as error:
            raise _unsent(error) from error

    def _flush(self) -> None:
        try:
            self._pipe.flush()
        except OSError as error:
            raise _unsent(error) from error


def _unsent(error: OSError) -> SourceLost:
    if isinstance(error, BrokenPipeError):
        return SourceLost("the mover has gone away")
    return SourceLost(f"the stream cannot be written: {error.strerror}")


def replay(pipe: IO[bytes], outlet: Outlet) -> None:
    """Read a stream to its end record and hand every record to `outlet`.

    Raises SourceLost where the stream ends before it, UnknownFormat where it is no
    stream, or one of a later version, or its digest is wrong.
    """
    digest = Digest()
    kind, payload = _record(pipe, first=True)
    if kind != START:
        raise UnknownFormat("the stream does not begin with a start record")
    facts = _facts(payload)
    if facts.get("stream") != VERSION:
        raise UnknownFormat(
            f"the stream has version {facts.get('stream')!r}, not {VERSION}",
            hint="install the same release on both machines",
        )
    outlet.start(facts)
    part_open = False
    while True:
        kind, payload = _record(pipe)
        if kind == DATA and part_open:
            digest.update(payload)
            outlet.data(payload)
        elif kind == PART:
            part_open = True
            outlet.begin_part(_name(payload))
        elif kind == END:
            return outlet.end(_checked(_facts(payload), digest.hexdigest()))
        else:
            _aside(kind, payload, outlet)


def _aside(kind: int, payload: bytes, outlet: Outlet) -> None:
    if kind == INDEX:
        outlet.index(payload)
    elif kind == TALLY:
        facts = _facts(payload)
        outlet.tally(_count(facts, "files"), _count(facts, "bytes"))
    elif kind in (WARNING, NOTE):
        facts = _facts(payload)
        try:
            path = base64.b64decode(str(facts.get("path_b64", "")), validate=True)
        except ValueError as error:
            raise UnknownFormat("a warning in the stream names no path") from error
        take = outlet.warning if kind == WARNING else outlet.note
        take(path, str(facts.get("reason", "")))
    else:
        raise UnknownFormat(f"the stream holds a record of unknown type {kind:#04x}")


def _record(pipe: IO[bytes], *, first: bool = False) -> tuple[int, bytes]:
    head = _exactly(pipe, _HEAD_BYTES)
    length = int.from_bytes(head[1:], "big")
    if length > RECORD_LIMIT or (first and head[0] != START):
        raise UnknownFormat("what comes in is not the stream of a source")
    return head[0], _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    found = pipe.read(length)
    while found is not None and 0 < len(found) < length:
        more = pipe.read(length - len(found))
        if not more:
            break
        found += more
    if found is None or len(found) < length:
        raise SourceLost("the source ended before it had sent everything")
    return found


def _facts(payload: bytes) -> dict[str, object]:
    try:
        facts = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UnknownFormat("a record of the stream is not JSON") from error
    if not isinstance(facts, dict):
        raise UnknownFormat("a record of the stream is not a JSON object")
    return facts


def _name(payload: bytes) -> str:
    try:
        return payload.decode("ascii")
    except UnicodeDecodeError as error:
        raise UnknownFormat("a part in the stream has no readable name") from error


def _remark(path: bytes, reason: str) -> dict[str, object]:
    return {"path_b64": base64.b64encode(path).decode(), "reason": reason}


def _count(facts: Mapping[str, object], key: str) -> int:
    value = facts.get(key)
    if not isinstance(value, int) or value < 0:
        raise UnknownFormat(f'a record of the stream has no count "{key}"')
    return value


def _checked(facts: dict[str, object], digest: str) -> dict[str, object]:
    if facts.pop("digest", None) != digest:
        raise UnknownFormat(
            "the digest of the stream is wrong: bytes were changed on the way"
        )
    return facts
