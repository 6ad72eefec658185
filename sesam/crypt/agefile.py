"""Age files: written as a stream, read at any place.

The payload is a nonce of 16 bytes, then chunks of 64 KiB, each sealed by
ChaCha20-Poly1305 under a counter, the last one marked as such.
Source: C2SP age, section "Payload".
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from sesam.crypt import header
from sesam.crypt.keys import Identity, parse_identities, parse_recipient
from sesam.errors import Damaged, NoIdentity
from sesam.ports import Blob

if TYPE_CHECKING:
    from sesam.crypt.engine import ChaCha20Poly1305

Write = Callable[[bytes | memoryview], object]
CHUNK_BYTES = 64 << 10
_TAG_BYTES = 16
_NONCE_BYTES = 16
_STORED = CHUNK_BYTES + _TAG_BYTES
# Writes that are being encrypted while the caller goes on.
_AHEAD = 3


class AgeWriter:
    """Encrypts a stream to recipients; `write` takes the stored bytes.

    What `write` is given is its own only until it returns.

    Raises WrongUsage where a recipient is none.
    """

    def __init__(self, recipients: Sequence[str], write: Write) -> None:
        file_key = os.urandom(header.FILE_KEY_BYTES)
        keys = [parse_recipient(one) for one in recipients]
        self._payload = _Payload(header.for_recipients(file_key, keys), file_key, write)

    def write(self, data: bytes) -> None:
        """Encrypt bytes, as soon as they fill a chunk."""
        self._payload.write(data)

    def finish(self) -> None:
        """Write the last chunk."""
        self._payload.finish()


class _Payload:
    def __init__(self, head: bytes, file_key: bytes, write: Write) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        self._cipher = _payload_cipher(file_key, nonce)
        self._write = write
        self._held = b""
        self._chunks = 0
        # A thread of its own: encrypting holds up no other one.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="age")
        self._coming: deque[Future[tuple[bytearray, int]]] = deque()
        self._free: list[bytearray] = []
        write(head + nonce)

    def write(self, data: bytes) -> None:
        # The last chunk may be full but never empty: one is always held back.
        if len(self._held) + len(data) <= CHUNK_BYTES:
            self._held += data
            return
        view, at = memoryview(data), CHUNK_BYTES - len(self._held)
        # Nothing but what lies across two writes is copied: copying costs as much as
        # encrypting.
        chunks: list[bytes | memoryview] = [self._held + view[:at]]
        while len(data) - at > CHUNK_BYTES:
            chunks.append(view[at : at + CHUNK_BYTES])
            at += CHUNK_BYTES
        self._held = bytes(view[at:])
        room = self._free.pop() if self._free else bytearray()
        coming = self._pool.submit(self._seal_all, chunks, self._chunks, room)
        self._coming.append(coming)
        self._chunks += len(chunks)
        while len(self._coming) > _AHEAD or (self._coming and self._coming[0].done()):
            self._hand_on()

    def finish(self) -> None:
        while self._coming:
            self._hand_on()
        self._pool.shutdown()
        nonce = _chunk_nonce(self._chunks, last=True)
        self._write(self._cipher.encrypt(nonce, self._held, None))
        self._held = b""

    def _hand_on(self) -> None:
        room, size = self._coming.popleft().result()
        with memoryview(room) as whole, whole[:size] as sealed:
            self._write(sealed)
        self._free.append(room)

    def _seal_all(
        self, chunks: Sequence[bytes | memoryview], first: int, room: bytearray
    ) -> tuple[bytearray, int]:
        """Encrypt the chunks from number `first` on, none of them the last one."""
        size = len(chunks) * _STORED
        if len(room) < size:
            # Used again and again: new memory costs as much as the encrypting.
            room = bytearray(size)
        encrypt = self._cipher.encrypt_into
        with memoryview(room) as into:
            for number, chunk in enumerate(chunks):
                nonce = _chunk_nonce(first + number, last=False)
                at = number * _STORED
                encrypt(nonce, chunk, None, into[at : at + _STORED])
        return room, size


class AgeBlob:
    """The plain bytes of a stored age file, as a Blob.

    Raises NoIdentity, UnknownFormat, Damaged; a chunk is checked whenever it is read,
    the last one when the blob is opened, so that a truncation never passes.
    """

    def __init__(self, blob: Blob, identities: Sequence[Identity]) -> None:
        begin = blob.read_at(0, header.HEADER_LIMIT)
        size = header.length_of(begin)
        self._open(blob, header.open_with(begin[:size], identities), size)

    def _open(self, blob: Blob, file_key: bytes, head_size: int) -> None:
        self._blob = blob
        self._begin = head_size + _NONCE_BYTES
        payload = blob.size - self._begin
        if payload < _TAG_BYTES:
            raise Damaged("an age file ends before its payload")
        self._chunks = max(1, -(-payload // _STORED))
        self._size = payload - self._chunks * _TAG_BYTES
        nonce = blob.read_at(head_size, _NONCE_BYTES)
        self._cipher = _payload_cipher(file_key, nonce)
        self._cache: dict[int, bytes] = {}
        (last,) = self._some(self._chunks - 1, self._chunks - 1)
        if not last and self._chunks > 1:
            raise Damaged("the last chunk of an age file is empty")

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        chunks = self._some(first, last)
        chunks[-1] = chunks[-1][: end - last * CHUNK_BYTES]
        chunks[0] = chunks[0][offset - first * CHUNK_BYTES :]
        return b"".join(chunks)

    def close(self) -> None:
        self._blob.close()

    def _some(self, first: int, last: int) -> list[bytes]:
        """Return chunks; what is at hand of them is not read again."""
        chunks = []
        while first <= last and first in self._cache:
            chunks.append(self._cache[first])
            first += 1
        if first <= last:
            begin, count = self._begin + first * _STORED, last - first + 1
            stored = memoryview(self._blob.read_at(begin, count * _STORED))
            for at in range(0, count * _STORED, _STORED):
                chunks.append(self._unsealed(first, stored[at : at + _STORED]))
                first += 1
        # Who reads on begins with the chunk that this read ended in.
        self._cache = {last: chunks[-1]}
        return chunks

    def _unsealed(self, number: int, stored: memoryview) -> bytes:
        from sesam.crypt.engine import InvalidTag

        nonce = _chunk_nonce(number, last=number == self._chunks - 1)
        try:
            return self._cipher.decrypt(nonce, stored, None)
        except (InvalidTag, ValueError) as error:
            raise Damaged(
                f"chunk {number} of an age file was changed or is cut off"
            ) from error


def protect(secret: str, passphrase: str, *, work: int = header.WORK_FACTOR) -> bytes:
    """Return a text as an age file that a passphrase opens."""
    file_key = os.urandom(header.FILE_KEY_BYTES)
    stored = bytearray()
    head = header.for_passphrase(file_key, passphrase, work)
    payload = _Payload(head, file_key, stored.extend)
    payload.write(secret.encode())
    payload.finish()
    return bytes(stored)


def read_identities(stored: bytes, passphrase: Callable[[], str]) -> list[Identity]:
    """Return the identities of an identity file, protected by a passphrase or not.

    passphrase -- is asked only where one is needed. Raises NoIdentity, Damaged.
    """
    if stored.startswith(header.VERSION):
        blob = _Protected(_Bytes(stored), passphrase)
        stored = blob.read_at(0, blob.size)
    try:
        return parse_identities(stored.decode())
    except UnicodeDecodeError as error:
        raise NoIdentity("the identity file is no text") from error


class _Protected(AgeBlob):
    def __init__(self, blob: Blob, passphrase: Callable[[], str]) -> None:
        begin = blob.read_at(0, header.HEADER_LIMIT)
        size = header.length_of(begin)
        file_key = header.open_with_passphrase(begin[:size], passphrase)
        self._open(blob, file_key, size)


class _Bytes:
    def __init__(self, stored: bytes) -> None:
        self._stored = stored

    @property
    def size(self) -> int:
        return len(self._stored)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._stored[offset : offset + length]

    def close(self) -> None:
        """Nothing is held."""


def _payload_cipher(file_key: bytes, nonce: bytes) -> "ChaCha20Poly1305":
    from sesam.crypt.engine import ChaCha20Poly1305

    return ChaCha20Poly1305(header.derive(file_key, nonce, b"payload"))


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")
