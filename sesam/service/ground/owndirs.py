"""What no backup of the site reads: its own stores, and the live catalog."""

import os

from sesam.catalog import drives
from sesam.rules.records import Client
from sesam.service.ground.site import Site


def own_directories(site: Site, client: Client) -> tuple[bytes, ...]:
    """Return the stores and the live catalog at a client's machine."""
    there = client.name if client.ssh else ""
    own = [store.path for store in drives.list_stores() if store.rds == there]
    if not there:
        own.append(site.path("var/db"))
    return tuple(os.fsencode(path) for path in own)
