"""Reading a store on another machine: questions on stdin, bytes on stdout.

A question is one line of JSON: {"key": K, "offset": N, "length": N}; offset -1 asks for
the size alone. An answer is eight bytes big-endian, the number of bytes that follow,
then these; a number with the highest bit set counts the bytes of an error as JSON.
"""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import IO

from sesam.device.directory import DirectoryStore
from sesam.errors import (
    Damaged,
    DeviceError,
    NotFound,
    SesamError,
    UnknownFormat,
    Unreachable,
)

_KINDS = {one.exit_code: one for one in (NotFound, Damaged)}
_HEAD_BYTES = 8
_ERROR = 1 << 63
_SIZE_ONLY = -1
_LINE_LIMIT = 1 << 16
_READ_LIMIT = 1 << 26
_SIZE_BYTES = 8


def answer(path: str, site_id: str, stdin: IO[bytes], stdout: IO[bytes]) -> None:
    """Answer questions about the store at `path` until stdin ends."""
    store: DirectoryStore | None = None
    while line := stdin.readline(_LINE_LIMIT):
        try:
            store = store or DirectoryStore(os.path.basename(path), path, site_id)
            found = _found(store, line)
            head = len(found)
        except SesamError as error:
            facts = {"message": str(error), "code": error.exit_code}
            found = json.dumps(facts).encode()
            head = len(found) | _ERROR
        stdout.write(head.to_bytes(_HEAD_BYTES, "big") + found)
        stdout.flush()


def _found(store: DirectoryStore, line: bytes) -> bytes:
    try:
        facts = json.loads(line)
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
        threading.Thread(
            target=lambda pipe: self._told.append(pipe.read()[-4000:]),
            args=(self._process.stderr,),
            daemon=True,
        ).start()

    def open(self, key: str) -> "RemoteBlob":
        """Return the bytes of a key. Raises NotFound, Unreachable, DeviceError."""
        size = self.ask(key, _SIZE_ONLY, 0)
        return RemoteBlob(key, int.from_bytes(size, "big"), self.ask)

    def ask(self, key: str, offset: int, length: int) -> bytes:
        """Return the answer to one question."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        question = {"key": key, "offset": offset, "length": length}
        try:
            pipe_in.write(json.dumps(question).encode() + b"\n")
            pipe_in.flush()
            head = int.from_bytes(_exactly(pipe_out, _HEAD_BYTES), "big")
            found = _exactly(pipe_out, head & ~_ERROR)
        except (OSError, EOFError) as error:
            said = b"".join(self._told).decode("utf-8", "replace").strip()
            raise Unreachable(
                f'data store "{self._name}" cannot be reached: {said or error}'
            ) from error
        if head & _ERROR:
            facts = json.loads(found)
            kind = _KINDS.get(facts["code"], DeviceError)
            raise kind(str(facts["message"]))
        return found

    def close(self) -> None:
        """End the process there."""
        for pipe in (self._process.stdin, self._process.stdout):
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


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    found = pipe.read(length)
    if len(found) < length:
        raise EOFError("the connection has ended")
    return found
