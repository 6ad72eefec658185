"""Short errands on another machine, done by its sm_sms."""

import json
import subprocess
from collections.abc import Sequence

from sesam.catalog import clients
from sesam.device.directory import MARKER
from sesam.errors import NotFound, SesamError, Unreachable, named
from sesam.rules.records import DataStore
from sesam.service.afar.serve import RemoteStore
from sesam.service.afar.starter import starter_argv
from sesam.service.ground.site import Site, ssh_config

_LIMIT_S = 60


def make_store_there(site: Site, store: DataStore) -> None:
    """Make a directory on the store's machine a data store.

    Raises Unreachable, and what sm_sms there raised.
    """
    _errand(site, store, "--make-store", store.name)


def remove_savesets_there(site: Site, store: DataStore, names: Sequence[str]) -> None:
    """Remove savesets from a store on another machine, each with its manifest first.

    One that is not there does no harm. Raises Unreachable, ForeignSite, DeviceError.
    """
    words = [word for one in names for word in ("--remove", one)]
    _errand(site, store, "--name", store.name, *words)


def _errand(site: Site, store: DataStore, *words: str) -> None:
    client = clients.get_client(store.rds)
    common = ["--store", store.path, "--site-id", site.id, "--format", "json"]
    try:
        done = subprocess.run(
            starter_argv("sm_sms", client, ssh_config(site), *common, *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(
            f'client "{client.name}" cannot be reached: {error}'
        ) from error
    if done.returncode:
        raise _error_of(done.stderr, done.returncode, client.name)


def open_store_there(site: Site, store: DataStore) -> RemoteStore:
    """Return a store on another machine, open for reading. Raises Unreachable."""
    there = clients.get_client(store.rds)
    words = ["--read", "--store", store.path, "--name", store.name]
    words += ["--site-id", site.id]
    return RemoteStore(
        store.name, starter_argv("sm_sms", there, ssh_config(site), *words)
    )


def look_at_store_there(site: Site, store: DataStore) -> None:
    """Look whether a directory on the store's machine is that store.

    Raises Unreachable, StoreMissing, ForeignSite, WrongMedium.
    """
    remote = open_store_there(site, store)
    try:
        remote.open(MARKER).close()
    except NotFound:
        return  # the marker was there a moment ago
    finally:
        remote.close()


def _error_of(stderr: bytes, code: int, client: str) -> SesamError:
    """Return the error that the other side told of as its last line."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {code}"]
    try:
        facts = json.loads(lines[-1])
        kind, message, hint = facts["error"], facts["message"], str(facts["hint"])
    except (ValueError, KeyError, TypeError):
        kind, message, hint = "", lines[-1], ""
    return named(kind, f'client "{client}": {message}', hint)
