"""Statements that a tick makes by the thousand: written here, not built each time.

What they do is what peewee would; it takes several times as long to say it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sesam.catalog.tables import database
from sesam.catalog.tables.base import Row


def insert(
    table: type[Row], values: Mapping[str, Any], *, unless_there: bool = False
) -> int:
    """Add a row; return its number, 0 where `unless_there` and one like it is there.

    values -- by the table's fields; those left out have what the schema says
    """
    fields = table._meta.fields
    statement = _insert(table, tuple(values), unless_there)
    parameters = [fields[name].db_value(value) for name, value in values.items()]
    found = run(statement, *parameters).fetchall()
    return int(found[0][0]) if found else 0


def run(statement: str, *parameters: Any) -> Any:
    """Execute a statement, ? for each parameter; return its cursor."""
    mark = database.param
    return database.execute_sql(_marked(statement, mark), parameters)


@cache
def _insert(table: type[Row], names: tuple[str, ...], unless_there: bool) -> str:
    fields = table._meta.fields
    columns = ", ".join(f'"{fields[name].column_name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    what = "ON CONFLICT DO NOTHING " if unless_there else ""
    into = f'INSERT INTO "{table._meta.table_name}" ({columns}) VALUES ({marks})'
    return f"{into} {what}RETURNING id"


@cache
def _marked(statement: str, mark: str) -> str:
    return statement if mark == "?" else statement.replace("?", mark)
