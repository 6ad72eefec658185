"""The way back: from one data store to the whole site, on a machine that has nothing.

The store's manifests make a catalog for the way, in which the newest SESAM_BACKUP that
can be read is found and restored beside the root. Its copy of the catalog becomes the
catalog of the site; savesets of the store that it does not know yet are added.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sesam.catalog import clients, db, drives, pools, savesets, tasks
from sesam.catalog import site as settings
from sesam.client.objects import Existing
from sesam.device.directory import DirectoryStore, read_marker
from sesam.errors import CatalogError, NotFound, SesamError, StoreMissing
from sesam.rules.naming import SITE_TASK
from sesam.rules.records import Client, DataStore, DriveGroup, MediaPool, Task
from sesam.service import restore, scan, setup
from sesam.service.fetching.choice import Wish
from sesam.service.fetching.reading import Passphrase
from sesam.service.ground import selfcopy
from sesam.service.ground.audit import record
from sesam.service.ground.site import DIRECTORIES, Site, make_private
from sesam.service.moving.commit import records_of

_KEPT = ("etc", "var/lis", selfcopy.DIRECTORY)


@dataclass(frozen=True, slots=True)
class Lost:
    """What there is of a lost site: a store, and identities if it is encrypted."""

    store: str
    identities: tuple[str, ...] = ()


def recover(
    root: str,
    url: str,
    lost: Lost,
    passphrase: Passphrase,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """Make the site at `root` anew from a data store; return what was found.

    Raises Conflict where a site exists, StoreMissing, NotFound where the store holds no
    SESAM_BACKUP that can be read, NoIdentity, CatalogError.
    """
    setup.begun(root, url)
    path = os.path.abspath(lost.store)
    marker = read_marker(path)
    if marker is None:
        raise StoreMissing(f'"{path}" bears no marker of a data store')
    store = DirectoryStore(str(marker.get("store")), path, str(marker.get("site")))
    os.makedirs(os.path.dirname(root) or "/", exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".sesam-recover-", dir=os.path.dirname(root) or "/"
    ) as where:
        way = _site_for_the_way(where, store, clock)
        try:
            saveset = _bring_back(way, where, lost.identities, passphrase)
        finally:
            way.catalog.close()
        _lay_down(root, os.path.join(where, "back"), url)
    return _finish(root, url, store, saveset, clock)


def _site_for_the_way(
    where: str, store: DirectoryStore, clock: Callable[[], datetime]
) -> Site:
    """Make a catalog that knows what the store holds, and nothing else."""
    make_private(os.path.join(where, "var"))
    for name in DIRECTORIES:
        make_private(os.path.join(where, name))
    catalog = db.open_catalog(f"sqlite:///{where}/var/db/way.db", create=True)
    marker = read_marker(store.root) or {}
    with catalog.change():
        settings.put(settings.SITE_ID, str(marker.get("site")))
        settings.put(settings.ZONE, "UTC")
        clients.add_client(Client("this machine"))
        pools.add_drive_group(DriveGroup("DISK"))
        pools.add_pool(MediaPool("DISK", "DISK"))
        drives.add_store(DataStore(store.name, store.root, "DISK"))
        tasks.add_task(Task(SITE_TASK, "this machine", (b"/",)))
    way = Site(where, catalog, clock)
    own = [one.name for one in scan.manifests_in(store) if one.task == SITE_TASK]
    if not _adopt(way, store, own):
        raise NotFound(
            f'data store "{store.root}" holds no saveset of {SITE_TASK}',
            hint="sm_media import takes in savesets without it",
        )
    return way


def _bring_back(
    way: Site, where: str, identities: tuple[str, ...], passphrase: Passphrase
) -> str:
    """Restore the newest SESAM_BACKUP that can be read; return its name."""
    back = os.fsencode(os.path.join(where, "back"))
    wish = Wish(
        target=back,
        task=SITE_TASK,
        best=True,
        existing=Existing.OVERWRITE,
        numeric_owners=True,
        identities=identities,
    )
    found = restore.start(way, wish, restore.Watch(passphrase))
    if found["warnings"]:
        raise CatalogError(
            f"{found['savesets'][-1]} comes back with {found['warnings']} warnings",
            hint="sm_backup verify; another copy of the store may be sound",
        )
    return str(found["savesets"][-1])


def _lay_down(root: str, back: str, url: str) -> None:
    """Put what came back into the root; the catalog last: it makes the site."""
    inner = _root_within(back)
    make_private(root)
    make_private(os.path.join(root, "var"))
    for name in DIRECTORIES:
        make_private(os.path.join(root, name))
    for name in _KEPT:
        source = os.path.join(inner, name)
        if os.path.isdir(source):
            shutil.copytree(
                source, os.path.join(root, name), dirs_exist_ok=True, symlinks=True
            )
            os.chmod(os.path.join(root, name), 0o700)
    copy = selfcopy.found_in(root)
    if copy.endswith(".db"):
        if not url.startswith("sqlite:"):
            raise CatalogError(
                "the site had a SQLite catalog, and SESAM_DATABASE_URL names a server",
                hint="unset it",
            )
        target = db.sqlite_path(url)
        shutil.copy(copy, target + ".part")
        os.chmod(target + ".part", 0o600)
        os.rename(target + ".part", target)
    else:
        _load_dump(copy, url)


def _load_dump(copy: str, url: str) -> None:
    if url.startswith("sqlite:"):
        raise CatalogError(
            "the site had a PostgreSQL catalog, and SESAM_DATABASE_URL names none",
            hint="make an empty database and name it",
        )
    command = ["pg_restore", "--no-owner", "--exit-on-error", "--dbname", url, copy]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CatalogError(f"pg_restore cannot be run: {error.strerror}") from error
    if done.returncode:
        raise CatalogError(f"the catalog cannot be loaded: {done.stderr.strip()}")


def _root_within(back: str) -> str:
    """Return where the old root lies in what came back: wherever it was then."""
    for directory, names, _ in os.walk(back):
        if "copy" in names and selfcopy.found_in(os.path.dirname(directory)):
            return os.path.dirname(directory)
    raise NotFound(
        f"the saveset of {SITE_TASK} holds no copy of the catalog",
        hint="sm_media import takes in savesets without it",
    )


def _finish(
    root: str,
    url: str,
    store: DirectoryStore,
    saveset: str,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """Let the recovered catalog know what it cannot know yet."""
    catalog = db.open_catalog(url, copies=os.path.join(root, "var/db"))
    site = Site(root, catalog, clock, command="sm_setup recover")
    try:
        known = next((s for s in drives.list_stores() if s.name == store.name), None)
        if known is not None and (known.path, known.rds) != (store.root, ""):
            with catalog.change():
                drives.modify_store(known._replace(path=store.root, rds=""))
        unknown = [one for one in scan.names_in(store) if not savesets.is_known(one)]
        added = _adopt(site, store, unknown)
        with catalog.change():
            record(site, "recover", store.root, saveset)
        return {
            "root": root,
            "site": site.id,
            "store": store.root,
            "saveset": saveset,
            "savesets": len(savesets.list_savesets()),
            "added": len(added),
        }
    finally:
        catalog.close()


def _adopt(site: Site, store: DirectoryStore, names: Sequence[str]) -> list[str]:
    """Add savesets of this site's store to the catalog; return those that are whole."""
    added = []
    for name in names:
        try:
            written = scan.written_in(store, name)
        except SesamError:
            continue
        with site.catalog.change():
            if not savesets.is_known(name):
                savesets.commit_saveset(*records_of(written, site.zone), None)
        added.append(name)
    return added
