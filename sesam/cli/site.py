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


def root() -> str:
    """Return $SESAM_ROOT, absolute."""
    default = "/var/opt/sesam" if os.geteuid() == 0 else "~/.local/share/sesam"
    return os.path.abspath(os.path.expanduser(os.environ.get("SESAM_ROOT") or default))


def catalog_url() -> str:
    """Return the URL of the catalog."""
    given = os.environ.get("SESAM_DATABASE_URL")
    return given or f"sqlite:///{root()}/var/db/sesam.db"


def spare_drivers() -> None:
    """Keep peewee from loading drivers that a SQLite catalog has no use for.

    It loads whichever are installed, and they cost more than the rest of a command.
    """
    if catalog_url().startswith("sqlite:"):
        for name in ("psycopg", "psycopg2", "psycopg2cffi"):
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]


@cache
def _offset() -> timedelta:
    """Return by how much SESAM_NOW moves the clock of this process."""
    given = os.environ.get("SESAM_NOW")
    if not given:
        return timedelta()
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise WrongUsage(
            f'SESAM_NOW: "{given}" is no instant',
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
    from sesam.catalog.db import open_catalog
    from sesam.service.ground.site import Site
    from sesam.service.setup import is_complete

    where = root()
    clock()
    catalog = open_catalog(catalog_url(), copies=os.path.join(where, "var/db"))
    if not is_complete():
        raise NoSite(f'the site at "{where}" was never finished')
    return Site(where, catalog, clock, rehearsing=bool(os.environ.get("SESAM_NOW")))
