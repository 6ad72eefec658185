"""Opening the catalog: SQLite by default, PostgreSQL by URL; one per process.

`sqlite:////var/opt/sesam/var/db/sesam.db`, `postgresql://user@host/name`. With
`?timeout=SECONDS` a SQLite catalog waits so long for another process's change.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EEXIST
from typing import TypeVar

from peewee import Database, IntegrityError, SqliteDatabase

from sesam.catalog import schema
from sesam.catalog.address import no_catalog, sqlite_path, without_password
from sesam.catalog.engine import failures, server_database, sqlite_database
from sesam.catalog.tables.base import database
from sesam.errors import Busy, CatalogDamaged, CatalogError, NoSite, SesamError

__all__ = ["Catalog", "open_catalog", "sqlite_path", "without_password"]
T = TypeVar("T")
_SERVERS = ("postgresql://", "postgres://", "psycopg3://")
# In the header of the file: it tells a catalog from any other database.
_APPLICATION_ID = 0x5345534D


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
        with failures(self.url):
            yield

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
    url: str, *, copies: str | None = None, create: bool = False, steps: bool = True
) -> Catalog:
    """Open the catalog at `url` and bring its schema up to date.

    copies -- directory for the copy that is taken before each step of the schema
    create -- make the catalog where there is none
    steps  -- False: leave the schema as it is
    Raises NoSite, CatalogTooNew, CatalogDamaged, Busy, CatalogError, WrongUsage.
    """
    if url.startswith("sqlite:"):
        db = sqlite_database(url)
        _find_file(sqlite_path(url), create)
    elif url.startswith(_SERVERS):
        db = server_database(url)
    else:
        raise no_catalog(url)
    database.initialize(db)
    catalog = Catalog(url, db)
    try:
        with catalog.watched():
            db.connect(reuse_if_open=True)
            found = schema.known_version(db)
            if found or create:
                if steps:
                    schema.bring_up(db, copies=copies, change=catalog.change)
            else:
                raise NoSite("the catalog holds no site")
    except SesamError:
        catalog.close()
        raise
    return catalog


def _find_file(path: str, create: bool) -> None:
    """Look for the file of a catalog, or make it.

    One that is made has a header from the first moment: an empty one has lost it.
    """
    try:
        size = os.stat(path).st_size
    except (FileNotFoundError, NotADirectoryError):
        if not create:
            raise NoSite(f'there is no catalog at "{path}"') from None
        return _make_private(path)
    except OSError as error:
        raise CatalogError(f'"{path}" cannot be read: {error.strerror}') from error
    if not size:
        raise CatalogDamaged(f'"{path}" is empty')
    return None


def _make_private(path: str) -> None:
    """Make the file 0600 whatever the umask; -wal and -shm take its mode.

    It gets its name when it is a database: one that was killed here leaves none.
    """
    new = f"{path}.new-{os.getpid()}"
    try:
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.fchmod(fd, 0o600)
        os.close(fd)
        connection = sqlite3.connect(new)
        # Before the first table, or it would take effect at the next VACUUM alone.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.close()
        _name(new, path)
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CatalogError(f'"{path}" cannot be made: {why}') from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new)


def _name(new: str, path: str) -> None:
    """Give the file its name, and leave one alone that another process has made."""
    try:
        os.link(new, path)
    except OSError as error:
        if error.errno != EEXIST:
            os.rename(new, path)  # a file system without links
