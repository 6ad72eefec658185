"""Settings of the site that an admin changes, with what holds where nothing is said."""

from dataclasses import dataclass, fields
from typing import Any

from sesam.errors import WrongUsage

_MOST_MINUTES = 7 * 24 * 60
_MOST_HOURS = 8784


@dataclass(frozen=True, slots=True)
class Settings:
    """interface_limit -- minutes that a pre or post script may take

    notify_on    -- states of ended jobs that sm_notify is told of
    remind_hours -- between two reminders of an alarm; 0 = none
    """

    interface_limit: int = 60
    notify_on: tuple[str, ...] = ("warning", "error", "cancelled")
    remind_hours: int = 24


def stored(settings: Settings) -> dict[str, str]:
    """Return the settings as texts, those that say what holds anyway included.

    >>> stored(Settings())["interface_limit"]
    '60'
    """
    return {one.name: _text(getattr(settings, one.name)) for one in fields(settings)}


def read(texts: dict[str, str]) -> Settings:
    """Return the settings of texts; one that is missing has its default.

    >>> read({"interface_limit": "5"}).interface_limit
    5
    """
    found: dict[str, Any] = {}
    for one in fields(Settings):
        if one.name in texts:
            text = texts[one.name]
            is_number = isinstance(one.default, int)
            found[one.name] = int(text) if is_number else tuple(text.split())
    return Settings(**found)


def check(settings: Settings) -> None:
    """Raise WrongUsage where a setting cannot be what it should be."""
    if not 1 <= settings.interface_limit <= _MOST_MINUTES:
        raise WrongUsage(f"--interface-limit is 1 to {_MOST_MINUTES} minutes")

    if not 0 <= settings.remind_hours <= _MOST_HOURS:
        raise WrongUsage(f"--remind-hours is 0, for never, to {_MOST_HOURS}")


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
