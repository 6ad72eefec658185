"""The site as the services see it: its root, catalog, zone, and the time."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sesam.catalog import newdays, site
from sesam.catalog.db import Catalog
from sesam.device.directory import close_to_others
from sesam.errors import CatalogDamaged
from sesam.rules.newdays import Newdays

if TYPE_CHECKING:
    from sesam.crypt.keys import Identity

DIRECTORIES = (
    "var/db",
    "var/lis",
    "var/log",
    "var/copy",
    "etc",
    "etc/keys",
    "etc/commands.d",
    "etc/interface.d",
    "store",
)


@dataclass
class Site:
    """root -- $SESAM_ROOT; clock -- the time now, aware; nothing else reads it.

    rehearsing -- SESAM_NOW moves that clock; offset -- by how much, None = not told
    command -- that was called, as the audit has it
    identities -- of the files that were opened so far: each asks its passphrase once
    """

    root: str
    catalog: Catalog
    clock: Callable[[], datetime]
    rehearsing: bool = False
    offset: timedelta | None = None
    command: str = "sesam"
    identities: dict[str, list["Identity"]] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        return site.get(site.SITE_ID)

    @cached_property
    def zone(self) -> ZoneInfo:
        name = site.get(site.ZONE, "UTC")
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise CatalogDamaged(
                f'the zone "{name}" of the site is not known to this machine',
                hint="install the package tzdata",
            ) from error

    @cached_property
    def newdays(self) -> Newdays:
        """Where backup days begin. Raises CatalogDamaged."""
        return Newdays(self.zone, newdays.versions())

    def look_again(self) -> None:
        """Forget what a command that runs for long may have read too long ago."""
        self.__dict__.pop("newdays", None)

    def backup_day(self, moment: datetime) -> date:
        """Return the backup day that holds an instant."""
        return self.newdays.holding(moment)

    def moment(self) -> datetime:
        """Return the instant of a tick: several machines go by their server's clock."""
        if self.offset is None or self.catalog.is_sqlite:
            return self.clock()
        return self.catalog.now() + self.offset

    def path(self, *parts: str) -> str:
        """Return a path below the root."""
        return os.path.join(self.root, *parts)

    def listing_path(self, saveset: str) -> str:
        """Return where the server keeps its copy of a saveset's listing, in clear."""
        return self.path("var/lis", saveset + ".listing.zst")

    def log_path(self, day: date, job_id: int) -> str:
        """Return the log file of a job."""
        return self.day_path(day, f"job-{job_id}.log")

    def day_path(self, day: date, name: str) -> str:
        """Return a file of a backup day."""
        return self.path("var/log", day.isoformat(), name)


def ssh_config(site: Site) -> str:
    """Return the site's own configuration for ssh, "" where there is none."""
    path = site.path("etc/ssh_config")
    return path if os.path.exists(path) else ""


def make_private(path: str) -> None:
    """Make a directory that its owner alone can enter, whatever the umask.

    One that is there already, and ours, is closed to others too. Raises OSError.
    """
    try:
        os.mkdir(path)
    except FileExistsError:
        close_to_others(path)
        return
    os.chmod(path, 0o700)
