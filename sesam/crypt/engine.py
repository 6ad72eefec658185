"""The primitives behind age, on raw bytes: the only door to cryptography.

Imported within functions, where something is encrypted or decrypted: loading it costs
more than a whole command that has nothing to do with keys.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

__all__ = ["ChaCha20Poly1305", "InvalidTag", "bytes_eq"]


def new_secret() -> bytes:
    """Return a new X25519 secret key, 32 bytes."""
    key = X25519PrivateKey.generate()
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_of(secret: bytes) -> bytes:
    """Return the public key of a secret one, 32 bytes."""
    key = X25519PrivateKey.from_private_bytes(secret).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def exchange(secret: bytes, public: bytes) -> bytes:
    """Return the secret that two keys share. Raises ValueError for a bad point."""
    key = X25519PrivateKey.from_private_bytes(secret)
    return key.exchange(X25519PublicKey.from_public_bytes(public))


def derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA-256 (RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def stretch(passphrase: bytes, salt: bytes, work: int) -> bytes:
    """Return 32 bytes of scrypt (RFC 7914); work -- N as a power of two."""
    return Scrypt(salt, 32, n=1 << work, r=8, p=1).derive(passphrase)


def mac(key: bytes, text: bytes) -> bytes:
    """Return the HMAC-SHA-256 of a text."""
    seal = hmac.HMAC(key, hashes.SHA256())
    seal.update(text)
    return seal.finalize()


def seal(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    """Return bytes under ChaCha20-Poly1305 (RFC 8439)."""
    return ChaCha20Poly1305(key).encrypt(nonce, plain, None)


def unseal(key: bytes, nonce: bytes, sealed: bytes) -> bytes | None:
    """Return the plain bytes, None where the key is another one."""
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None
