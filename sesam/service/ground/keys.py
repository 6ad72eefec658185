"""Age identities of the site: files in etc/keys, and finding the one that opens."""

import base64
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

from sesam.catalog import drives
from sesam.crypt.agefile import protect, read_identities
from sesam.crypt.keys import Identity, identity_file, new_identity, parse_recipient
from sesam.device.durable import write_new
from sesam.errors import (
    CatalogError,
    Conflict,
    NoIdentity,
    NotFound,
    SesamError,
    WrongUsage,
)
from sesam.rules.naming import check_name
from sesam.rules.records import DataStore
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site, make_private

_PLAIN, _PROTECTED, _PUBLIC = ".txt", ".age", ".pub"
_PUBLIC_LIMIT = 4096


def add(site: Site, name: str, passphrase: str = "") -> dict[str, object]:
    """Make an identity, an age file under a passphrase.

    Raises Conflict where any file of that name is there: a secret is never written
    over. Raises WrongUsage, CatalogError.
    """
    check_name("key", name)
    for suffix in (_PLAIN, _PROTECTED, _PUBLIC):
        if os.path.lexists(_path(site, name, suffix)):
            raise Conflict(
                f'key "{name}" exists already: "{_path(site, name, suffix)}"',
                hint="choose another name, or move the file away",
            )
    identity = new_identity()
    now = site.clock().astimezone(site.zone).isoformat(timespec="seconds")
    text = identity_file(identity, now)
    suffix = _PROTECTED if passphrase else _PLAIN
    stored = protect(text, passphrase) if passphrase else text.encode()
    try:
        make_private(site.path("etc"))
        make_private(site.path("etc/keys"))
        # The public half last: it is what makes the key count.
        write_new(_path(site, name, suffix), stored)
        write_new(_path(site, name, _PUBLIC), identity.recipient.text.encode() + b"\n")
    except OSError as error:
        raise CatalogError(f'key "{name}" cannot be kept: {error.strerror}') from error
    with site.catalog.change():
        record(site, "add key", name, identity.recipient.text)
    for store in drives.list_stores():
        put_protected(site, store)
    return get(site, name)


def put_protected(site: Site, store: DataStore) -> None:
    """Lay copies of the passphrase-protected identities into a store of this machine.

    Whoever finds the store one day, and knows the passphrase, can read it. A store that
    is not there now gets them with the next key.
    """
    if store.rds:
        return
    for key in list_keys(site):
        if key["protected"]:
            name = f".sesam-key-{key['name']}{_PROTECTED}"
            with contextlib.suppress(OSError), open(str(key["path"]), "rb") as file:
                write_new(os.path.join(store.path, name), file.read())


def protected_identity(site: Site, recipients: Sequence[str]) -> str:
    """Return the first protected identity among recipients, base64; "" for none."""
    for key in list_keys(site):
        if key["protected"] and key["recipient"] in recipients:
            with open(str(key["path"]), "rb") as file:
                return base64.b64encode(file.read()).decode()
    return ""


def get(site: Site, name: str) -> dict[str, object]:
    """Return name, recipient, protected, path of a key. Raises NotFound."""
    for one in list_keys(site):
        if one["name"] == name:
            return one
    raise NotFound(f'no key "{name}"', hint="sm_setup key list")


def list_keys(site: Site) -> list[dict[str, object]]:
    """Return the keys of the site by name; recipient -- "" where it cannot be read.

    Raises CatalogError.
    """
    found: list[dict[str, object]] = []
    try:
        files = sorted(os.listdir(site.path("etc/keys")))
    except FileNotFoundError:
        return found
    except OSError as error:
        raise CatalogError(f"the keys cannot be read: {error.strerror}") from error
    for file in files:
        name = file.removesuffix(_PUBLIC)
        if name == file:
            continue
        recipient = _recipient(_path(site, name, _PUBLIC))
        protected = os.path.exists(_path(site, name, _PROTECTED))
        path = _path(site, name, _PROTECTED if protected else _PLAIN)
        found.append(
            {"name": name, "recipient": recipient, "protected": protected, "path": path}
        )
    return found


def identities_for(
    site: Site,
    recipients: Sequence[str],
    files: Sequence[str],
    passphrase: Callable[[], str],
) -> list[Identity]:
    """Return the identities to try: of the files given, else of the site's own keys.

    A key of the site that a passphrase protects is asked for only when it is one of the
    recipients. Raises NoIdentity.
    """
    if not recipients:
        return []
    found: list[Identity] = []
    for path in files:
        found += _opened(site, path, passphrase)
    if files:
        return found
    for key in list_keys(site):
        if key["recipient"] in recipients:
            found += _opened(site, str(key["path"]), passphrase)
    return found


def problems(site: Site) -> Iterator[str]:
    """Yield what is wrong with the keys of the site. Raises CatalogError."""
    for key in list_keys(site):
        if not key["recipient"]:
            yield f'the recipient of key "{key["name"]}" cannot be read'
        elif not os.access(str(key["path"]), os.R_OK):
            yield f'the secret of key "{key["name"]}" is not at "{key["path"]}"'


def _recipient(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return parse_recipient(file.read(_PUBLIC_LIMIT)).text
    except (OSError, WrongUsage):
        return ""


def _opened(site: Site, path: str, passphrase: Callable[[], str]) -> list[Identity]:
    if path not in site.identities:
        site.identities[path] = _read(path, passphrase)
    return site.identities[path]


def _read(path: str, passphrase: Callable[[], str]) -> list[Identity]:
    try:
        with open(path, "rb") as file:
            return read_identities(file.read(1 << 20), passphrase)
    except OSError as error:
        raise NoIdentity(
            f'the identity "{path}" cannot be read: {error.strerror}'
        ) from error
    except SesamError as error:
        raise NoIdentity(f'"{path}": {error}') from error


def _path(site: Site, name: str, suffix: str) -> str:
    return site.path("etc/keys", name + suffix)
