"""Whether the catalog is sound: the engine's view, and rows that belong together."""

from collections.abc import Iterator

from sesam.catalog.db import Catalog
from sesam.catalog.tables import ALL, CopyRow, PieceRow, SavesetRow, database
from sesam.errors import CatalogDamaged


def problems(catalog: Catalog) -> Iterator[str]:
    """Yield what is wrong, nothing where all is well. Raises CatalogError."""
    with catalog.watched():
        if catalog.is_sqlite:
            for (line,) in database.execute_sql("PRAGMA quick_check(10)"):
                if line != "ok":
                    yield f"SQLite finds: {line}"
            for row in database.execute_sql("PRAGMA foreign_key_check"):
                yield f'a row of table "{row[0]}" refers to nothing'
        unread = list(_unreadable())
        if unread:
            yield from unread
            return
        without = SavesetRow.select().where(
            SavesetRow.id.not_in(CopyRow.select(CopyRow.saveset))
        )
        for row in without.limit(10):
            yield f'saveset "{row.name}" has no copy'
        empty = CopyRow.select().where(
            CopyRow.id.not_in(PieceRow.select(PieceRow.copy))
        )
        for row in empty.limit(10):
            yield f'a copy of saveset "{row.saveset.name}" has no pieces'


def _unreadable() -> Iterator[str]:
    """Ask every table for a row: one that is gone, or lacks a column, fails."""
    for table in ALL:
        try:
            table.select().first()
        except CatalogDamaged as error:
            yield f'table "{table._meta.table_name}": {error}'
