"""Age keys: X25519 identities and the recipients that belong to them.

An identity is a secret (`AGE-SECRET-KEY-1...`), its recipient (`age1...`) is public:
backing up needs recipients alone. Source: C2SP age, section "X25519 recipient stanza".
"""

from dataclasses import dataclass, field

from sesam.crypt import bech32
from sesam.errors import NoIdentity, WrongUsage

_PUBLIC = "age"
_SECRET = "AGE-SECRET-KEY-"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key; `text` as age spells it."""

    text: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """A secret key. Its text is kept out of every repr."""

    secret: str = field(repr=False)
    recipient: Recipient

    def key(self) -> bytes:
        """Return the secret key itself, 32 bytes."""
        return bech32.decode(_SECRET, self.secret)


def new_identity() -> Identity:
    """Return a new random identity."""
    from sesam.crypt import engine

    return _identity(bech32.encode(_SECRET, engine.new_secret()))


def parse_recipient(text: str) -> Recipient:
    """Return the recipient that `text` spells. Raises WrongUsage."""
    if text.strip().upper().startswith(_SECRET):
        raise WrongUsage(
            "that is a secret identity, not a recipient",
            hint="its recipient begins with age1",
        )
    try:
        key = bech32.decode(_PUBLIC, text.strip())
        if len(key) != 32:
            raise ValueError("it is not 32 bytes long")
    except ValueError as error:
        raise WrongUsage(
            f'"{text}" is no age recipient: {error}',
            hint="sm_setup key add NAME makes a key and shows its recipient",
        ) from error
    return Recipient(text.strip(), key)


def parse_identities(text: str) -> list[Identity]:
    """Return the identities of an identity file in clear: one a line, `#` comments.

    Raises NoIdentity where a line is none, or there is none at all. Messages never show
    what the line holds.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            found.append(_identity(line))
        except ValueError as error:
            raise NoIdentity(
                f"line {number} of the identity file is no age identity: {error}"
            ) from error
    if not found:
        raise NoIdentity("the identity file holds no age identity")
    return found


def identity_file(identity: Identity, made_at: str) -> str:
    """Return the text of an identity file, as age-keygen writes it."""
    return (
        f"# created: {made_at}\n"
        f"# public key: {identity.recipient.text}\n"
        f"{identity.secret}\n"
    )


def _identity(secret: str) -> Identity:
    raw = bech32.decode(_SECRET, secret)
    if len(raw) != 32:
        raise ValueError("it is not 32 bytes long")
    from sesam.crypt import engine

    key = engine.public_of(raw)
    return Identity(secret, Recipient(bech32.encode(_PUBLIC, key), key))
