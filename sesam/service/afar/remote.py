"""Short errands on another machine, done by its sm_sms."""

import json
import subprocess

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
    client = clients.get_client(store.rds)
    words = ["--store", store.path, "--make-store", store.name, "--site-id", site.id]
    words += ["--format", "json"]
    try:
        done = subprocess.run(
            starter_argv("sm_sms", client, ssh_config(site), *words),
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
