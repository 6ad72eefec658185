"""Keeping the catalog itself in good order: a checked copy, statistics, free pages."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from typing import Any

from sesam.catalog.db import Catalog
from sesam.catalog.schema import take_copy
from sesam.catalog.tables import ALL, database
from sesam.errors import Busy, CatalogDamaged, CatalogError

_NEW = ".new"
_PAGES_AT_ONCE = 256
_ROWS_LOOKED_AT = 1000


def copy_catalog(catalog: Catalog, path: str) -> str:
    """Write a copy of the catalog to `path` + `.db` or `.dump`; return its name.

    It gets that name when it is whole and, of SQLite, has been checked; nothing is left
    of one that is not. Raises CatalogError, CatalogDamaged.
    """
    suffix = ".db" if catalog.is_sqlite else ".dump"
    made = path + _NEW + suffix
    try:
        with catalog.watched():
            take_copy(database.obj, path + _NEW)
        if catalog.is_sqlite:
            _check(made)
        with open(made, "rb") as file:
            os.fsync(file.fileno())
        os.rename(made, path + suffix)
    except OSError as error:
        raise CatalogError(
            f'no copy of the catalog can be taken: "{made}": {error.strerror}'
        ) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(made)
    return path + suffix


def prune_copies(directory: str, prefix: str, keep: int) -> list[str]:
    """Remove all but the newest copies, by name, and what was never finished."""
    names = sorted(one for one in os.listdir(directory) if one.startswith(prefix))
    half = [one for one in names if os.path.splitext(one)[0].endswith(_NEW)]
    whole = [one for one in names if one not in half]
    gone = half + whole[: max(len(whole) - keep, 0)]
    for name in gone:
        os.unlink(os.path.join(directory, name))
    return gone


def analyze(catalog: Catalog) -> None:
    """Let the engine look at its tables, so that it finds the best ways."""
    with catalog.change():
        if catalog.is_sqlite:
            database.execute_sql(f"PRAGMA analysis_limit = {_ROWS_LOOKED_AT}")
            database.execute_sql("ANALYZE")
        else:
            for model in ALL:
                table = model._meta.table_name
                database.execute_sql(f'ANALYZE "{table}"')


def free_pages(catalog: Catalog, stopped: Callable[[], bool]) -> int:
    """Give free pages back to the file system in short steps; return how many.

    Other processes get their turn between two steps; one that holds the catalog ends it
    for today. PostgreSQL does this by itself.
    """
    freed = 0
    if not catalog.is_sqlite:
        return freed
    left = _free()
    while left and not stopped():
        try:
            with catalog.watched():
                # All rows are fetched: with each of them one page is freed.
                step = f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})"
                database.execute_sql(step).fetchall()
        except Busy:
            break
        before, left = left, _free()
        if left >= before:
            break
        freed += before - left
    return freed


def _free() -> int:
    (pages,) = database.execute_sql("PRAGMA freelist_count").fetchone()
    return int(pages)


def _check(path: str) -> None:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            found: list[Any] = connection.execute("PRAGMA quick_check(3)").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise CatalogDamaged(f'the copy "{path}" is damaged: {error}') from error
    if found != [("ok",)]:
        raise CatalogDamaged(f'the copy "{path}" is damaged: {found[0][0]}')
