"""Short errands on another machine, done by its sm_sms."""

import json
import subprocess
from collections.abc import Sequence

from sesam import errors
from sesam.catalog import clients
from sesam.errors import SesamError, Unreachable
from sesam.rules.records import DataStore
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
    _errand(site, store, *(word for one in names for word in ("--remove", one)))


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


def _error_of(stderr: bytes, code: int, client: str) -> SesamError:
    """Return the error that the other side told of as its last line."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {code}"]
    try:
        facts = json.loads(lines[-1])
        kind = getattr(errors, str(facts["error"]), None)
        message, hint = str(facts["message"]), str(facts["hint"])
    except (ValueError, KeyError, TypeError):
        kind, message, hint = Unreachable, lines[-1], ""
    if not (isinstance(kind, type) and issubclass(kind, SesamError)):
        kind = Unreachable
    return kind(f'client "{client}": {message}', hint=hint)
