"""Settings of the site that an admin changes, with what holds where nothing is said."""

from dataclasses import dataclass, fields
from typing import Any

from sesam.errors import WrongUsage

_MOST_MINUTES = 7 * 24 * 60
_MOST_HOURS = 8784
_MOST_DAYS = 99_999


@dataclass(frozen=True, slots=True)
class Settings:
    """interface_limit -- minutes that a pre or post script may take

    notify_on    -- states of ended jobs that sm_notify is told of
    remind_hours -- between two reminders of an alarm; 0 = none
    log_days, sheet_days -- that logs, and rows of the calendar sheet, are kept; 0 = for
    ever
    cancel_at_newday -- types of jobs of the day before that newday cancels
    """

    interface_limit: int = 60
    notify_on: tuple[str, ...] = ("warning", "error", "cancelled")
    remind_hours: int = 24
    log_days: int = 400
    sheet_days: int = 400
    cancel_at_newday: tuple[str, ...] = ()


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
    for name in ("log_days", "sheet_days"):
        if not 0 <= getattr(settings, name) <= _MOST_DAYS:
            option = "--" + name.replace("_", "-")
            raise WrongUsage(f"{option} is 0, for ever, to {_MOST_DAYS} days")


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
