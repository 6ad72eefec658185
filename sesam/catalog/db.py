"""Opening the catalog: SQLite by default, PostgreSQL by URL; one per process.

`sqlite:////var/opt/sesam/var/db/sesam.db`, `postgresql://user@host/name`. With
`?timeout=SECONDS` a SQLite catalog waits so long for another process's change.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from peewee import (
    Database,
    DatabaseError,
    ImproperlyConfigured,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SqliteDatabase,
)

from sesam.catalog import schema
from sesam.catalog.tables.base import database
from sesam.errors import (
    Busy,
    CatalogDamaged,
    CatalogError,
    NoSite,
    SesamError,
    WrongUsage,
)

T = TypeVar("T")
BUSY_TIMEOUT_S = 30.0
_SERVERS = ("postgresql://", "postgres://", "psycopg3://")
_LOCKED = ("database is locked", "database table is locked")
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    # A log that one large change has blown up is cut back by the next checkpoint.
    "journal_size_limit": 64 << 20,
}


class Catalog:
    """The open catalog of this process; the modules of this room work on it."""

    def __init__(self, url: str, db: Database) -> None:
        self.url = url
        self._db = db
        self.is_sqlite = isinstance(db, SqliteDatabase)

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it or nothing. Short, never open during I/O.

        Raises Busy where another process holds the catalog for too long, CatalogError
        and CatalogDamaged where the engine fails.
        """
        with self.watched():
            lock = ("IMMEDIATE",) if self.is_sqlite else ()
            with self._db.atomic(*lock):
                yield

    def apply(self, change: Callable[[], T]) -> T:
        """Carry out a change of the configuration in a transaction of its own.

        Where another command was faster, it is tried once more: then it finds what has
        come between, and says so itself. Raises as `change`, and what `change` raises.
        """
        try:
            with self.change():
                return change()
        except IntegrityError:
            try:
                with self.change():
                    return change()
            except IntegrityError as error:
                raise Busy("other commands change the same objects") from error

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn failures of the engine into errors of this program."""
        try:
            yield
        except IntegrityError:
            raise  # the caller knows what it means
        except (DatabaseError, InterfaceError) as error:
            raise _translated(error, self.url) from error

    def now(self) -> datetime:
        """Return the instant by the database's clock: leases of all hosts follow it."""
        if self.is_sqlite:
            text = "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"
        else:
            text = "SELECT clock_timestamp()"
        with self.watched():
            (found,) = self._db.execute_sql(text).fetchone()
        if isinstance(found, datetime):
            return found.astimezone(UTC)
        return datetime.fromisoformat(found).replace(tzinfo=UTC)

    def close(self) -> None:
        """Close the connection of this thread."""
        if not self._db.is_closed():
            self._db.close()


def open_catalog(
    url: str, *, copies: str | None = None, create: bool = False
) -> Catalog:
    """Open the catalog at `url` and bring its schema up to date.

    copies -- directory for the copy that is taken before each step of the schema
    create -- make the catalog where there is none
    Raises NoSite, CatalogTooNew, CatalogDamaged, Busy, CatalogError, WrongUsage.
    """
    if url.startswith("sqlite:"):
        db = _sqlite(url, create)
    elif url.startswith(_SERVERS):
        db = _server(url)
    else:
        raise WrongUsage(
            f'"{without_password(url)}" is no catalog',
            hint="sqlite:////PATH or postgresql://USER@HOST/NAME",
        )
    database.initialize(db)
    catalog = Catalog(url, db)
    try:
        with catalog.watched():
            db.connect(reuse_if_open=True)
            schema.bring_up(db, copies=copies, create=create, change=catalog.change)
    except SesamError:
        catalog.close()
        raise
    return catalog


def sqlite_path(url: str) -> str:
    """Return the file of a SQLite URL. Raises WrongUsage."""
    path = unquote(urlsplit(url).path)
    if not path.startswith("//") or urlsplit(url).netloc:
        raise WrongUsage(
            f'"{url}" is no catalog: four slashes begin an absolute path',
            hint="sqlite:////var/opt/sesam/var/db/sesam.db",
        )
    return path[1:]


def _sqlite(url: str, create: bool) -> Database:
    path = sqlite_path(url)
    options = parse_qs(urlsplit(url).query)
    try:
        timeout = float(options.get("timeout", [str(BUSY_TIMEOUT_S)])[0])
    except ValueError:
        raise WrongUsage(f'"{url}": timeout is a number of seconds') from None
    if not os.path.exists(path):
        if not create:
            raise NoSite(f'there is no catalog at "{path}"')
        _make_private(path)
    return SqliteDatabase(path, pragmas=_PRAGMAS, timeout=timeout)


def _make_private(path: str) -> None:
    """Make the empty file 0600 whatever the umask; -wal and -shm take its mode."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CatalogError(f'"{path}" cannot be made: {error.strerror}') from error
    os.fchmod(fd, 0o600)
    os.close(fd)
    # Before the first table, or it would take effect at the next VACUUM alone.
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _server(url: str) -> Database:
    from playhouse.db_url import connect  # costs 30 ms that SQLite needs not pay

    try:
        db: Database = connect(url)
    except (ImproperlyConfigured, RuntimeError, ValueError) as error:
        raise CatalogError(
            f'"{without_password(url)}" cannot be used: {error}',
            hint="pip install sesam[postgresql]",
        ) from error
    return db


def _translated(error: Exception, url: str) -> Exception:
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    if first.startswith(_LOCKED):
        return Busy("another process holds the catalog")
    if "not a database" in first or "malformed" in first:
        return CatalogDamaged(f'"{sqlite_path(url)}" is damaged: {first}')
    hint = ""
    if isinstance(error, OperationalError) and not url.startswith("sqlite:"):
        hint = "is the server up? psql with the same URL says more"
    return CatalogError(
        f'the catalog "{without_password(url)}" fails: {first}', hint=hint
    )


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    shown = parts.netloc.replace(f":{parts.password}@", ":***@")
    return parts._replace(netloc=shown).geturl()
