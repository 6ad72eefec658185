"""The database behind the catalog: whatever fails in it becomes an error of ours.

A failure may come with any statement, and on SQLite with any row that is read: it is
translated here, once. IntegrityError alone passes: the caller knows what it means.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peewee import (
    Database,
    DatabaseError,
    ImproperlyConfigured,
    IntegrityError,
    InterfaceError,
    SqliteDatabase,
)

from sesam.catalog.address import (
    no_catalog,
    split,
    sqlite_path,
    timeout_of,
    without_password,
)
from sesam.errors import Busy, CatalogDamaged, CatalogError, SesamError

BUSY_TIMEOUT_S = 30.0
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    # A log that one large change has blown up is cut back by the next checkpoint.
    "journal_size_limit": 64 << 20,
}
_LOCKED = ("database is locked", "database table is locked")
_DAMAGED = ("not a database", "malformed", "no such table", "no such column", "decode")
# PostgreSQL: a table or column is gone, a page or an index is corrupt; a lock that is
# not given, a deadlock, a transaction that cannot be put in order.
_DAMAGED_STATES = ("42P01", "42703", "XX001", "XX002")
_BUSY_STATES = ("55P03", "40P01", "40001")


class _Watched:
    """Mixed into a Database: its statements fail with errors of this program."""

    url = ""

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        with failures(self.url):
            cursor = super().execute_sql(sql, params)  # type: ignore[misc]
        return _Cursor(cursor, self.url) if isinstance(self, SqliteDatabase) else cursor


class _Cursor:
    """A cursor of SQLite: it reads as its rows are asked for, and may fail there."""

    def __init__(self, cursor: Any, url: str) -> None:
        self._cursor, self._url = cursor, url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def fetchone(self) -> Any:
        with failures(self._url):
            return self._cursor.fetchone()

    def fetchmany(self, size: int = 1) -> Any:
        with failures(self._url):
            return self._cursor.fetchmany(size)

    def fetchall(self) -> Any:
        with failures(self._url):
            return self._cursor.fetchall()


class _Sqlite(_Watched, SqliteDatabase):
    pass


def sqlite_database(url: str) -> Database:
    """Return the SQLite database of a URL, not yet open. Raises WrongUsage."""
    timeout = timeout_of(url, BUSY_TIMEOUT_S)
    db = _Sqlite(sqlite_path(url), pragmas=_PRAGMAS, timeout=timeout)
    db.url = url
    return db


def server_database(url: str) -> Database:
    """Return the PostgreSQL database of a URL. Raises WrongUsage, CatalogError."""
    from playhouse import db_url  # costs 30 ms that SQLite needs not pay

    split(url)
    facts = db_url.parse(url)
    base = db_url.schemes.get(url.partition(":")[0])
    if base is None or not facts.get("database"):
        raise no_catalog(url)
    try:
        db: Database = type(base.__name__, (_Watched, base), {"url": url})(**facts)
    except (ImproperlyConfigured, RuntimeError) as error:
        raise _no_driver(url, error) from error
    return db


@contextmanager
def failures(url: str) -> Iterator[None]:
    """Turn failures of the engine into errors of this program."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError):
        raise  # the caller knows what it means
    except ImproperlyConfigured as error:
        raise _no_driver(url, error) from error
    except (DatabaseError, InterfaceError, sqlite3.Error) as error:
        raise _translated(error, url) from error


def _no_driver(url: str, error: Exception) -> SesamError:
    return CatalogError(
        f'"{without_password(url)}" cannot be used: {error}',
        hint="pip install sesam[postgresql]",
    )


def _translated(error: Exception, url: str) -> SesamError:
    origin = getattr(error, "orig", error)
    text = str(origin).strip()
    first = text.splitlines()[0] if text else type(origin).__name__
    state = str(getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", ""))
    name = f'the catalog "{without_password(url)}"'
    if url.startswith("sqlite:"):
        if first.startswith(_LOCKED):
            return Busy("another process holds the catalog")
        if any(word in first for word in _DAMAGED):
            return CatalogDamaged(f'"{sqlite_path(url)}" is damaged: {first}')
        return CatalogError(f"{name} fails: {first}")
    if state in _BUSY_STATES:
        return Busy("another process holds the catalog")
    if state in _DAMAGED_STATES:
        return CatalogDamaged(f"{name} is damaged: {first}")
    return CatalogError(
        f"{name} fails: {first}", hint="is the server up? psql with the same URL says"
    )
