"""Making a site: directories, catalog, and what a first backup needs."""

import os
import secrets
import socket
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sesam.catalog import audit, clients, db, drives, pools, site, tasks
from sesam.device.directory import create_store, is_store
from sesam.errors import CatalogError, Conflict, NoSite, WrongUsage
from sesam.rules.naming import SITE_TASK
from sesam.rules.records import Client, DataStore, DriveGroup, MediaPool, Task
from sesam.service.ground.audit import user
from sesam.service.ground.selfcopy import DIRECTORY as COPY
from sesam.service.ground.site import DIRECTORIES, make_private

POOL = "DISK"
STORE = "default"
_RETENTION_DAYS = 30
_OWN_NAMES = {"etc", "store", "var"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an admin asks for: an IANA zone, HH:MM of NEWDAY, the store's directory."""

    zone: str
    newday: str = "08:00"
    store: str = ""


def init(root: str, url: str, wishes: Wishes, now: datetime) -> dict[str, object]:
    """Make a site at `root` with its catalog at `url`; what was begun is finished.

    Raises Conflict where there is a site, WrongUsage, CatalogError, DeviceError.
    """
    wishes = _checked(wishes)
    store = os.path.abspath(wishes.store or os.path.join(root, "store"))
    # What is there is looked at before anything is written.
    is_store(store, name=STORE, site_id=begun(root, url))
    _make_directories(root)
    catalog = db.open_catalog(url, copies=os.path.join(root, "var/db"), create=True)
    client = socket.gethostname() or "localhost"
    # The id outlives a killed init: the store that bears it must stay this site's.
    with catalog.change():
        if not site.get(site.SITE_ID):
            site.put(site.SITE_ID, secrets.token_hex(16))
    create_store(store, name=STORE, site_id=site.get(site.SITE_ID), now=now)
    with catalog.change():
        _fill(root, store, client, wishes, now)
    catalog.close()
    return {
        "root": root,
        "zone": wishes.zone,
        "catalog": db.without_password(url),
        "client": client,
        "pool": POOL,
    }


def is_complete() -> bool:
    """Tell whether the open catalog holds a site whose init went to its end."""
    return bool(site.get(site.ZONE))


def machine_zone() -> str:
    """Return the IANA name of this machine's zone, UTC where it has none."""
    for path in ("/etc/localtime", "/etc/timezone"):
        try:
            if path.endswith("timezone"):
                with open(path) as file:
                    name = file.read().strip()
            else:
                name = os.path.realpath(path).partition("/zoneinfo/")[2]
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            continue
        return name
    return "UTC"


def _checked(wishes: Wishes) -> Wishes:
    """Return the wishes, NEWDAY as HH:MM. Raises WrongUsage."""
    try:
        ZoneInfo(wishes.zone)
    except (KeyError, ValueError, OSError) as error:
        raise WrongUsage(
            f'"{wishes.zone}" is no time zone of this machine',
            hint="an IANA name, as Europe/Berlin",
        ) from error
    try:
        newday = datetime.strptime(wishes.newday, "%H:%M")  # noqa: DTZ007
    except ValueError as error:
        raise WrongUsage(
            f'"{wishes.newday}" is no time of the day', hint="HH:MM, as 08:00"
        ) from error
    try:
        wishes.store.encode()
    except UnicodeEncodeError as error:
        raise WrongUsage("the path of a data store is UTF-8") from error
    return replace(wishes, newday=f"{newday:%H:%M}")


def begun(root: str, url: str) -> str:
    """Return the id that an init which was killed gave the site, "" without one.

    Raises Conflict where there is a site. Its schema is left as it is.
    """
    try:
        catalog = db.open_catalog(url, steps=False)
    except NoSite:
        return ""
    try:
        if is_complete():
            raise Conflict(
                f'there is a site at "{root}" already',
                hint="SESAM_ROOT names another place",
            )
        return site.get(site.SITE_ID)
    finally:
        catalog.close()


def _make_directories(root: str) -> None:
    try:
        os.makedirs(os.path.dirname(root) or "/", exist_ok=True)
        # A directory that holds other things as well is not ours to close.
        if not os.path.isdir(root) or set(os.listdir(root)) <= _OWN_NAMES:
            make_private(root)
        make_private(os.path.join(root, "var"))
        for name in DIRECTORIES:
            make_private(os.path.join(root, name))
    except OSError as error:
        raise CatalogError(
            f'"{error.filename}" cannot be made: {error.strerror}',
            hint="SESAM_ROOT names another place",
        ) from error


def _fill(root: str, store: str, client: str, wishes: Wishes, now: datetime) -> None:
    clients.add_client(Client(client, note="this machine"))
    pools.add_drive_group(DriveGroup(POOL))
    pools.add_pool(MediaPool(POOL, POOL, _RETENTION_DAYS))
    drives.add_store(DataStore(STORE, store, POOL))
    own = [os.path.join(root, name) for name in ("etc", "var/lis", COPY)]
    tasks.add_task(
        Task(
            SITE_TASK,
            client,
            tuple(os.fsencode(path) for path in own),
            excludes=("*.part",),
            note="the site itself",
        )
    )
    site.add_newday(wishes.newday, now)
    site.put(site.CLIENT, client)
    site.put(site.POOL, POOL)
    site.put(site.NEWDAY, wishes.newday)
    site.put(site.ZONE, wishes.zone)
    audit.record(now, user(), "sm_setup init", "init", root)
