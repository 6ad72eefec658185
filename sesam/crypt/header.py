"""The header of an age file: the file key, wrapped for each who may open it.

Source: C2SP age, sections "Header", "X25519 recipient stanza", "scrypt recipient
stanza". Lines end in one newline, base64 is standard, without padding, canonical.
"""

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sesam.crypt.keys import Identity, Recipient
from sesam.errors import Damaged, NoIdentity, UnknownFormat

VERSION = b"age-encryption.org/v1"
FILE_KEY_BYTES = 16
HEADER_LIMIT = 64 << 10
_X25519 = b"X25519"
_SCRYPT = b"scrypt"
_COLUMNS = 64
_ZERO_NONCE = bytes(12)
# 2^22 is some 4 GiB: more is an attack on who reads.
WORK_FACTOR, WORK_LIMIT = 18, 22


@dataclass(frozen=True, slots=True)
class Stanza:
    """One way to the file key: type and arguments, and the wrapped key."""

    arguments: tuple[bytes, ...]
    body: bytes


def for_recipients(file_key: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return the header that lets these recipients open the file."""
    return _header(file_key, [_wrap(file_key, one) for one in recipients])


def for_passphrase(file_key: bytes, passphrase: str, work: int = WORK_FACTOR) -> bytes:
    """Return the header that a passphrase opens; work -- log2 of scrypt's N."""
    salt = os.urandom(16)
    key = _stretch(passphrase, salt, work)
    arguments = (_SCRYPT, _base64(salt), b"%d" % work)
    return _header(file_key, [Stanza(arguments, _seal(key, file_key))])


def open_with(header: bytes, identities: Sequence[Identity]) -> bytes:
    """Return the file key. Raises NoIdentity, Damaged, UnknownFormat."""
    for stanza in _stanzas(header):
        for identity in identities if stanza.arguments[0] == _X25519 else ():
            file_key = _unwrap(stanza, identity)
            if file_key is not None:
                return _authentic(header, file_key)
    raise NoIdentity(
        "none of the identities opens what is encrypted"
        if identities
        else "what is encrypted needs an identity"
    )


def open_with_passphrase(header: bytes, passphrase: Callable[[], str]) -> bytes:
    """Return the file key of a passphrase-protected file. Raises as `open_with`."""
    stanzas = _stanzas(header)
    if len(stanzas) != 1 or stanzas[0].arguments[0] != _SCRYPT:
        raise NoIdentity("the file is not protected by a passphrase")
    arguments = stanzas[0].arguments
    if len(arguments) != 3 or not arguments[2].isdigit() or arguments[2][:1] == b"0":
        raise Damaged("the passphrase line of an age file cannot be read")
    salt, work = _unbase64(arguments[1]), int(arguments[2])
    if len(salt) != 16 or work > WORK_LIMIT:
        raise Damaged(
            f"an age file asks for scrypt with 2^{work}, at most 2^22 is done"
        )
    file_key = _opened(_stretch(passphrase(), salt, work), stanzas[0].body)
    if file_key is None:
        raise NoIdentity("the passphrase is wrong")
    return _authentic(header, file_key)


def is_passphrase(header: bytes) -> bool:
    """Tell whether a passphrase opens the file."""
    return _stanzas(header)[0].arguments[0] == _SCRYPT


def length_of(begin: bytes) -> int:
    """Return the bytes of the header with which a file begins.

    Raises UnknownFormat where it is no age file, Damaged where the header has no end.
    """
    if not begin.startswith(VERSION + b"\n"):
        raise UnknownFormat("this is no age file")
    mac = begin.find(b"\n--- ")
    end = begin.find(b"\n", mac + 1)
    if mac < 0 or end < 0:
        raise Damaged("the header of an age file has no end")
    return end + 1


def derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA-256 (RFC 5869)."""
    from sesam.crypt import engine

    return engine.derive(key, salt, info)


def _wrap(file_key: bytes, recipient: Recipient) -> Stanza:
    from sesam.crypt import engine

    ephemeral = engine.new_secret()
    share = engine.public_of(ephemeral)
    shared = engine.exchange(ephemeral, recipient.key)
    key = derive(shared, share + recipient.key, VERSION + b"/X25519")
    return Stanza((_X25519, _base64(share)), _seal(key, file_key))


def _unwrap(stanza: Stanza, identity: Identity) -> bytes | None:
    from sesam.crypt import engine

    if len(stanza.arguments) != 2:
        raise Damaged("a recipient's line of an age file cannot be read")
    share = _unbase64(stanza.arguments[1])
    if len(share) != 32:
        raise Damaged("a recipient's line of an age file cannot be read")
    try:
        shared = engine.exchange(identity.key(), share)
    except ValueError as error:  # a point of low order
        raise Damaged("a recipient's line of an age file is not secure") from error
    key = derive(shared, share + identity.recipient.key, VERSION + b"/X25519")
    return _opened(key, stanza.body)


def _seal(key: bytes, file_key: bytes) -> bytes:
    from sesam.crypt import engine

    return engine.seal(key, _ZERO_NONCE, file_key)


def _opened(key: bytes, body: bytes) -> bytes | None:
    from sesam.crypt import engine

    if len(body) != FILE_KEY_BYTES + 16:
        raise Damaged("the wrapped key in an age file has the wrong length")
    # None: it is meant for somebody else.
    return engine.unseal(key, _ZERO_NONCE, body)


def _stretch(passphrase: str, salt: bytes, work: int) -> bytes:
    from sesam.crypt import engine

    return engine.stretch(passphrase.encode(), VERSION + b"/scrypt" + salt, work)


def _header(file_key: bytes, stanzas: Sequence[Stanza]) -> bytes:
    text = VERSION + b"\n"
    for stanza in stanzas:
        body = _base64(stanza.body)
        lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
        text += b"-> " + b" ".join(stanza.arguments) + b"\n"
        text += b"\n".join(lines) + b"\n"
    text += b"---"
    return text + b" " + _base64(_mac(file_key, text)) + b"\n"


def _mac(file_key: bytes, text: bytes) -> bytes:
    from sesam.crypt import engine

    return engine.mac(derive(file_key, b"", b"header"), text)


def _authentic(header: bytes, file_key: bytes) -> bytes:
    from sesam.crypt.engine import bytes_eq

    text, _, mac = header.rpartition(b" ")
    if not bytes_eq(_mac(file_key, text), _unbase64(mac[:-1])):
        raise Damaged("the header of an age file was changed")
    return file_key


def _stanzas(header: bytes) -> list[Stanza]:
    lines = header.split(b"\n")[1:-2]
    found: list[Stanza] = []
    at = 0
    while at < len(lines):
        mark, *arguments = lines[at].split(b" ")
        if mark != b"->" or not arguments or not all(arguments):
            raise Damaged("the header of an age file cannot be read")
        at += 1
        begin = at
        while at < len(lines) and len(lines[at]) == _COLUMNS:
            at += 1
        if at >= len(lines) or len(lines[at]) > _COLUMNS:
            raise Damaged("the header of an age file cannot be read")
        at += 1
        found.append(Stanza(tuple(arguments), _unbase64(b"".join(lines[begin:at]))))
    if not found:
        raise Damaged("the header of an age file names no recipient")
    return found


def _base64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise Damaged("the header of an age file holds wrong base64") from error
    if _base64(raw) != text:
        raise Damaged("the header of an age file holds wrong base64")
    return raw
