"""Reading a store on another machine: questions on stdin, bytes on stdout.

A question is one line of JSON: {"key": K, "offset": N, "length": N}; offset -1 asks for
the size alone; {"saveset": S} for the pieces that are there of it, as JSON. An answer
is eight bytes big-endian, the number of bytes that follow, then these; a number with
the highest bit set counts the bytes of an error as JSON.
"""

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import IO

from sesam.device.directory import DirectoryStore
from sesam.device.directory_pieces import pieces_in
from sesam.device.directory_writer import remove_saveset
from sesam.errors import (
    DeviceError,
    SesamError,
    UnknownFormat,
    Unreachable,
    WrongUsage,
    named,
)
from sesam.rules.naming import is_saveset_name
from sesam.terms import Piece, Place

_HEAD_BYTES = 8
_ERROR = 1 << 63
_SIZE_ONLY = -1
_LINE_LIMIT = 1 << 16
_READ_LIMIT = 1 << 26
_SIZE_BYTES = 8
_LAST_WORDS_S = 5


def answer(
    name: str, path: str, site_id: str, stdin: IO[bytes], stdout: IO[bytes]
) -> None:
    """Answer questions about the store `name` at `path` until stdin ends."""
    store: DirectoryStore | None = None
    while line := stdin.readline(_LINE_LIMIT):
        try:
            store = store or DirectoryStore(name, path, site_id)
            found = _found(store, line)
            head = len(found)
        except SesamError as error:
            kind, hint = type(error).__name__, error.hint
            facts = {"error": kind, "message": str(error), "hint": hint}
            found = json.dumps(facts).encode()
            head = len(found) | _ERROR
        stdout.write(head.to_bytes(_HEAD_BYTES, "big") + found)
        stdout.flush()


def remove(name: str, path: str, site_id: str, savesets: Sequence[str]) -> None:
    """Remove savesets from the store `name`. Raises ForeignSite, DeviceError."""
    store = DirectoryStore(name, path, site_id)
    for one in savesets:
        if not is_saveset_name(one):
            raise WrongUsage(f'"{one}" is no name of a saveset')
        try:
            remove_saveset(store, one)
        except OSError as error:
            raise DeviceError(f'"{one}": {error.strerror}') from error


def _found(store: DirectoryStore, line: bytes) -> bytes:
    try:
        facts = json.loads(line)
        if "saveset" in facts:
            pieces = pieces_in(store, str(facts["saveset"]))
            return json.dumps([asdict(piece) for piece in pieces]).encode()
        key, offset, length = facts["key"], int(facts["offset"]), int(facts["length"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownFormat("the question cannot be read") from error
    if offset == _SIZE_ONLY:
        return store.stat(str(key)).to_bytes(_SIZE_BYTES, "big")
    blob = store.open(str(key))
    try:
        return blob.read_at(offset, min(length, _READ_LIMIT))
    finally:
        blob.close()


class RemoteStore:
    """A store on another machine, open for reading through `sm_sms --read`."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._name = name
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise Unreachable(
                f'"{command[0]}" cannot be run: {error.strerror}'
            ) from error
        self._told: list[bytes] = []
        assert self._process.stderr is not None
        self._listener = threading.Thread(
            target=lambda pipe: self._told.append(pipe.read()[-4000:]),
            args=(self._process.stderr,),
            daemon=True,
        )
        self._listener.start()

    def open(self, key: str) -> "RemoteBlob":
        """Return the bytes of a key. Raises Unreachable, and as DirectoryStore."""
        size = self.ask(key, _SIZE_ONLY, 0)
        return RemoteBlob(key, int.from_bytes(size, "big"), self.ask)

    def pieces(self, saveset: str) -> list[Piece]:
        """Return what is there of a saveset. Raises Unreachable, UnknownFormat ..."""
        found = self._answer({"saveset": saveset})
        try:
            return [
                Piece(**{**one, "place": Place(**one["place"])})
                for one in json.loads(found)
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise UnknownFormat(
                f'data store "{self._name}" answers what cannot be read',
                hint="install the same release on both machines",
            ) from error

    def ask(self, key: str, offset: int, length: int) -> bytes:
        """Return bytes of a key. Raises Unreachable, and as DirectoryStore."""
        return self._answer({"key": key, "offset": offset, "length": length})

    def _answer(self, question: Mapping[str, object]) -> bytes:
        """Return the answer to one question. Raises Unreachable, and what it was."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        try:
            pipe_in.write(json.dumps(question).encode() + b"\n")
            pipe_in.flush()
            head = int.from_bytes(_exactly(pipe_out, _HEAD_BYTES), "big")
            found = _exactly(pipe_out, head & ~_ERROR)
        except (OSError, EOFError) as error:
            self._listener.join(_LAST_WORDS_S)
            said = b"".join(self._told).decode("utf-8", "replace").strip()
            raise Unreachable(
                f'data store "{self._name}" cannot be reached: {said or error}'
            ) from error
        if head & _ERROR:
            raise _told(found)
        return found

    def close(self) -> None:
        """End the process there."""
        for pipe in (self._process.stdin, self._process.stdout):
            # What was never taken over there is of no use any more.
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()


class RemoteBlob:
    """A Blob whose bytes are asked for."""

    def __init__(
        self, key: str, size: int, ask: Callable[[str, int, int], bytes]
    ) -> None:
        self._key, self._size, self._ask = key, size, ask

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        length = min(length, self._size - offset)
        return self._ask(self._key, offset, length) if length > 0 else b""

    def close(self) -> None:
        """The process serves other keys still."""


def _told(answer: bytes) -> SesamError:
    try:
        facts = json.loads(answer)
        return named(facts["error"], str(facts["message"]), str(facts["hint"]))
    except (ValueError, KeyError, TypeError) as error:
        return UnknownFormat(f"the answer cannot be read: {error}")


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    found = pipe.read(length)
    if len(found) < length:
        raise EOFError("the connection has ended")
    return found
