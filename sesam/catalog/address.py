"""The catalog's URL: what it names, and how it may be shown."""

import re
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from sesam.errors import WrongUsage

_HINT = "sqlite:////PATH or postgresql://USER@HOST/NAME"
_LONGEST_WAIT_S = 86400.0
# From the colon behind the login to the last @: a password may hold any sign.
_login = re.compile(r"(://[^:/?@]*):.*@", re.DOTALL)
_option = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def sqlite_url(path: str) -> str:
    """Return the URL of a SQLite catalog, whatever signs its path holds.

    >>> sqlite_url("/srv/a #1/sesam.db")
    'sqlite:////srv/a%20%231/sesam.db'
    """
    return f"sqlite:///{quote(path)}"


def sqlite_path(url: str) -> str:
    """Return the file of a SQLite URL. Raises WrongUsage."""
    parts = split(url)
    if "#" in url:
        raise WrongUsage(f'"{url}" is no catalog: a # in a path is written %23')
    if not parts.path.startswith("//") or parts.netloc:
        raise WrongUsage(
            f'"{url}" is no catalog: four slashes begin an absolute path',
            hint="sqlite:////var/opt/sesam/var/db/sesam.db",
        )
    try:
        path = unquote(parts.path[1:], errors="strict")
    except UnicodeDecodeError:
        path = "\0"
    if "\0" in path:
        raise WrongUsage(f'"{url}" is no catalog: its path is no UTF-8')
    return path


def timeout_of(url: str, default: float) -> float:
    """Return for how many seconds a SQLite URL says to wait. Raises WrongUsage."""
    (word,) = parse_qs(split(url).query).get("timeout", [str(default)])[:1]
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise WrongUsage(f'"{url}": timeout is a number of seconds, at most a day')
    return seconds


def split(url: str) -> SplitResult:
    """Return the parts of a URL. Raises WrongUsage where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        why = without_password(str(error))
        raise WrongUsage(
            f'"{without_password(url)}" is no catalog: {why}', hint=_HINT
        ) from error
    return parts


def no_catalog(url: str) -> WrongUsage:
    """Return the error for a URL of no engine that is known."""
    return WrongUsage(f'"{without_password(url)}" is no catalog', hint=_HINT)


def without_password(url: str) -> str:
    """Return a URL as it may be shown.

    >>> without_password("postgresql://ann:a#b@c@host/sesam?password=x&port=1")
    'postgresql://ann:***@host/sesam?password=***&port=1'
    """
    return _option.sub(r"\1***", _login.sub(r"\1:***@", url))
