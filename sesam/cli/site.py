"""The site of this command: SESAM_ROOT, SESAM_DATABASE_URL, SESAM_NOW.

Here, and nowhere else in the program, the clock is read.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from sesam.errors import NoSite, WrongUsage

if TYPE_CHECKING:
    from sesam.service.ground.site import Site


# Days of retention can be added, and zones applied, without leaving the calendar.
_YEARS = range(1971, 3000)


def root() -> str:
    """Return $SESAM_ROOT, absolute. Raises WrongUsage for one that is no text."""
    default = "/var/opt/sesam" if os.geteuid() == 0 else "~/.local/share/sesam"
    given = _text("SESAM_ROOT") or default
    return os.path.abspath(os.path.expanduser(given))


def catalog_url() -> str:
    """Return the URL of the catalog. Raises WrongUsage."""
    from sesam.catalog.address import sqlite_url

    return _text("SESAM_DATABASE_URL") or sqlite_url(f"{root()}/var/db/sesam.db")


def spare_drivers() -> None:
    """Keep peewee from loading drivers that a SQLite catalog has no use for.

    It loads whichever are installed, and they cost more than the rest of a command.
    """
    if catalog_url().startswith("sqlite:"):
        for name in ("psycopg", "psycopg2", "psycopg2cffi"):
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _text(name: str) -> str:
    found = os.environ.get(name, "")
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise WrongUsage(f'{name}: "{found}" is no UTF-8') from error
    return found


@cache
def _offset() -> timedelta:
    """Return by how much SESAM_NOW moves the clock of this process."""
    given = os.environ.get("SESAM_NOW")
    if not given:
        return timedelta()
    try:
        moment = datetime.fromisoformat(given)
        if moment.year not in _YEARS:
            raise ValueError("beyond what is rehearsed")
    except ValueError:
        raise WrongUsage(
            f'SESAM_NOW: "{given}" is no instant of the years 1971 to 2999',
            hint="one is 2027-03-28T08:00:00+02:00",
        ) from None
    if moment.tzinfo is None:
        moment = moment.astimezone()
    sys.stderr.write(f"rehearsal: the clock starts at {moment.isoformat()}\n")
    return moment - datetime.now(UTC)


def clock() -> datetime:
    """Return the time now, in UTC, moved by SESAM_NOW."""
    return datetime.now(UTC) + _offset()


@cache
def open_site() -> "Site":
    """Return the open site. Raises NoSite, CatalogError."""
    from sesam.catalog import site as settings
    from sesam.catalog.db import open_catalog
    from sesam.service.ground.site import Site

    where = root()
    clock()
    catalog = open_catalog(catalog_url(), copies=os.path.join(where, "var/db"))
    if not settings.get(settings.ZONE):  # the last thing that init puts there
        raise NoSite(f'the site at "{where}" was never finished')
    return Site(
        where,
        catalog,
        clock,
        rehearsing=bool(os.environ.get("SESAM_NOW")),
        offset=_offset(),
        command=_command(),
    )


def _command() -> str:
    """Return the command that was called, as `sm_task modify`."""
    from click import get_current_context

    context = get_current_context(silent=True)
    return context.command_path if context else "sesam"
