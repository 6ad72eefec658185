"""Field types that mean the same on SQLite and PostgreSQL."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from peewee import SQL, BigIntegerField, TextField

from sesam.errors import CatalogDamaged
from sesam.terms import State


class InstantField(TextField):
    """An aware instant as sortable UTC text, microseconds included."""

    def db_value(self, value: datetime | str | None) -> str | None:
        return instant_text(value) if isinstance(value, datetime) else value

    def python_value(self, value: str | None) -> datetime | None:
        return None if value is None else _read(datetime.fromisoformat, value)


class DayField(TextField):
    """A date as YYYY-MM-DD."""

    def db_value(self, value: date | str | None) -> str | None:
        return value.isoformat() if isinstance(value, date) else value

    def python_value(self, value: str | None) -> date | None:
        return None if value is None else _read(date.fromisoformat, value)


class FlagField(BigIntegerField):
    """True or false as 1 or 0."""

    def db_value(self, value: bool | int | None) -> int | None:
        return None if value is None else int(value)

    def python_value(self, value: int | None) -> bool | None:
        return None if value is None else bool(value)


class JsonField(TextField):
    """A JSON value as ASCII text: bytes that are no UTF-8 survive as surrogates."""

    def db_value(self, value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    def python_value(self, value: str | None) -> object:
        return None if value is None else _read(json.loads, value)


class WordsField(TextField):
    """A tuple of texts, in order."""

    def python_value(self, value: str | None) -> tuple[str, ...]:
        return tuple(_read(json.loads, value)) if value else ()

    def db_value(self, value: Sequence[str] | str) -> str:
        return value if isinstance(value, str) else json.dumps(list(value))


def _read(parse: Callable[[str], Any], value: str) -> Any:
    try:
        return parse(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise CatalogDamaged(f"the catalog holds {value!r:.60}: {error}") from error


def instant_text(moment: datetime) -> str:
    """Return an instant as it is stored. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def literal(value: State | int) -> Any:
    """Return a value as it stands in the condition of an index.

    SQLite uses an index of some rows only where the query says which in the same words:
    a parameter could be anything.
    """
    return SQL(f"'{value.value}'" if isinstance(value, State) else str(int(value)))
