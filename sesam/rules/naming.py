"""Names of savesets: S, the level's letter, the instant, `@`, 11 random characters."""

import base64
import re
from datetime import UTC, datetime

from sesam.errors import WrongUsage
from sesam.terms import Level

RANDOM_BYTES = 8
# The task that backs up the site itself.
SITE_TASK = "SESAM_BACKUP"
_name = re.compile(r"S([FDIC])(\d{17})@([A-Za-z0-9_-]{11})")
_LONGEST = 200


def saveset_name(level: Level, started_at: datetime, random: bytes) -> str:
    """Return the name of a saveset that begins at `started_at`, shown in UTC.

    random -- RANDOM_BYTES of them: two savesets of one millisecond get two names

    >>> saveset_name(Level.FULL, datetime(2027, 3, 28, 1, tzinfo=UTC), bytes(8))
    'SF20270328010000000@AAAAAAAAAAA'
    """
    moment = started_at.astimezone(UTC)
    stamp = f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
    tail = base64.urlsafe_b64encode(random).decode().rstrip("=")
    return f"S{level.letter}{stamp}@{tail}"


def is_saveset_name(text: str) -> bool:
    """Tell whether `text` is a saveset's name: asked before a path is made of it."""
    return _name.fullmatch(text) is not None


def check_name(what: str, name: str) -> str:
    """Return the name of a new object. Raises WrongUsage where it cannot be one.

    what -- kind of object, for the message, as `media pool`
    """
    if not 1 <= len(name) <= _LONGEST:
        raise WrongUsage(f"the name of a {what} has 1 to {_LONGEST} characters")
    bare = not name.startswith("-") and name == name.strip()
    # Neither bytes that are no UTF-8 nor anything that moves a cursor is printable.
    if "/" in name or not name.isprintable() or not bare:
        raise WrongUsage(
            f'"{name}" cannot be the name of a {what}',
            hint="no slash, no control character, no dash or blank at its ends",
        )
    return name


def check_pool_name(name: str) -> str:
    """Return the name of a new media pool. Raises WrongUsage.

    Five digits at its end could not be told from those of a label.
    """
    check_name("media pool", name)
    if re.search(r"\d{5}$", name):
        raise WrongUsage(
            f'media pool "{name}" cannot end in five digits: its labels would'
        )
    return name
