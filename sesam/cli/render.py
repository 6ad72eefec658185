"""One way to print: tables for people; JSON, JSONL and CSV for programs.

A row is a mapping of JSON values, as the services return them; instants are aware
datetimes, days dates, paths bytes. A column says how people see a value.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sesam.cli.streams import unread
from sesam.errors import SesamError

Row = Mapping[str, Any]
NONE = "-"

_READY = 200


@dataclass(frozen=True, slots=True)
class Column:
    """One column: key of the row, heading, and how people see it."""

    key: str
    title: str = ""
    human: Callable[[Any], str] = str
    right: bool = False

    def heading(self) -> str:
        return self.title or self.key.replace("_", " ")


class Renderer:
    """Prints rows in the form asked for; zone -- in which instants are shown."""

    def __init__(self, form: str, zone: ZoneInfo) -> None:
        self._form = form
        self._zone = zone

    def rows(
        self,
        rows: Iterable[Row | str],
        columns: Sequence[Column],
        keys: Sequence[str] = (),
    ) -> None:
        """Print a listing; JSONL and CSV stream.

        rows -- for JSON and JSONL a row may be ready text
        keys -- of every row, for the header of an empty CSV listing
        """
        if isinstance(rows, list):
            with unread():
                self._rows(rows, columns, keys)
        else:
            self._rows(rows, columns, keys)

    def _rows(
        self, rows: Iterable[Any], columns: Sequence[Column], keys: Sequence[str]
    ) -> None:
        if self._form == "json":
            texts = [self._text(row) for row in rows]
            _print("[\n " + ",\n ".join(texts) + "\n]" if texts else "[]")
        elif self._form == "jsonl":
            self._stream(rows)
        elif self._form == "csv":
            self._csv(rows, keys or [column.key for column in columns])
        else:
            self._table(rows, columns)

    def _stream(self, rows: Iterable[Any]) -> None:
        """Print rows as they come; ready ones, which may be millions, together."""
        ready: list[str] = []
        try:
            for row in rows:
                if isinstance(row, str):
                    ready.append(row)
                    if len(ready) < _READY:
                        continue
                _write_lines(ready)
                if not isinstance(row, str):
                    _print(self._text(row))
        except SesamError:
            # What was found before it failed is shown.
            _write_lines(ready)
            raise
        _write_lines(ready)

    def one(self, row: Row, columns: Sequence[Column] = ()) -> None:
        """Print one object: as a JSON object, or one line a fact for people."""
        with unread():
            self._one(row, columns)

    def _one(self, row: Row, columns: Sequence[Column]) -> None:
        if self._form == "json":
            _print(json.dumps(self.plain(row), indent=1))
        elif self._form == "jsonl":
            _print(json.dumps(self.plain(row)))
        elif self._form == "csv":
            self._csv([row], ())
        else:
            human = {column.key: column for column in columns}
            shown = [
                (human.get(key, Column(key)), self._human(human.get(key), value))
                for key, value in row.items()
                if not _is_table(value)
            ]
            width = max((len(column.heading()) for column, _ in shown), default=0)
            for column, text in shown:
                _print(f"{column.heading():<{width}}  {text}")

    def plain(self, row: Row, *, always: bool = False) -> dict[str, Any]:
        """Return the row as JSON values; what is no UTF-8 has KEY_b64 beside KEY.

        Of several values then all are there. always -- paths have it in any case, null
        where it is not needed
        """
        found: dict[str, Any] = {}
        for key, value in row.items():
            # As most of a million rows are: nothing to be found out.
            if value is None or (type(value) is str and value.isascii()):
                found[key] = value
                continue
            found[key] = self._value(value)
            if isinstance(value, date | int):
                continue
            exact = _exact(value)
            if exact is not None or (always and _is_path(value)):
                found[f"{key}_b64"] = exact
        return found

    def _text(self, row: Row | str) -> str:
        return row if isinstance(row, str) else json.dumps(self.plain(row))

    def _value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(timespec="seconds")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, str | bytes):
            return _raw(value).decode("utf-8", "replace")
        if isinstance(value, Mapping):
            return self.plain(value)
        if isinstance(value, list | tuple):
            return [self._value(one) for one in value]
        return value

    def _human(self, column: Column | None, value: Any) -> str:
        return printable(self._shown(column, value))

    def _shown(self, column: Column | None, value: Any) -> str:
        if value is None or value in ("", (), []):
            return NONE
        if isinstance(value, datetime):
            return value.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, bytes):
            return visible(value)
        if isinstance(value, list | tuple):
            return ", ".join(self._shown(None, one) for one in value)
        return column.human(value) if column else str(value)

    def _csv(self, rows: Iterable[Row], without: Sequence[str]) -> None:
        """Print CSV; without -- the header where there is no row."""
        out = csv.writer(sys.stdout, lineterminator="\n")
        keys: list[str] = []
        for row in rows:
            plain = self.plain(row, always=True)
            if not keys:
                keys = list(plain)
                out.writerow(keys)
            out.writerow([_cell(plain.get(key)) for key in keys])
        if not keys:
            out.writerow(without)

    def _table(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        from tabulate import tabulate

        lines = [
            [self._human(column, row.get(column.key)) for column in columns]
            for row in rows
        ]
        _print(
            tabulate(
                lines,
                headers=[column.heading() for column in columns],
                tablefmt="plain",
                disable_numparse=True,
                colalign=["right" if one.right else "left" for one in columns]
                if lines
                else None,
            )
        )


def size(value: int) -> str:
    """Return bytes as people read them.

    >>> size(999), size(1536), size(5 << 30)
    ('999 B', '1.5 KiB', '5.0 GiB')
    """
    if value < 1024:
        return f"{value} B"
    units = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min((value.bit_length() - 1) // 10, len(units))
    return f"{value / 1024**power:.1f} {units[power - 1]}"


def count(value: int) -> str:
    """Return a number with its thousands parted.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{value:,}"


def visible(path: bytes) -> str:
    """Return a path that cannot break a terminal or a table."""
    return printable(path.decode("utf-8", "backslashreplace"))


def printable(text: str) -> str:
    r"""Return a text that cannot break a terminal or a table, on one line.

    >>> printable("a\nb\x1b[2J")
    'a\\nb\\x1b[2J'
    """
    if text.isprintable():
        return text
    text = _raw(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _raw(value: str | bytes) -> bytes:
    """Return the bytes of a text: those that were typed, where they are no UTF-8."""
    if isinstance(value, bytes):
        return value
    try:
        return value.encode()
    except UnicodeEncodeError:
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace")


def _exact(value: Any) -> str | list[str] | None:
    """Return base64 of what is no UTF-8, None for everything else."""
    several = isinstance(value, list | tuple)
    values = value if several else (value,)
    if not all(isinstance(one, str | bytes) for one in values):
        return None
    raws = [_raw(one) for one in values]
    if all(map(_is_utf8, raws)):
        return None
    import base64

    found = [base64.b64encode(raw).decode() for raw in raws]
    return found if several else found[0]


def _is_path(value: Any) -> bool:
    """Tell whether a value is a path, or several: bytes."""
    values = value if isinstance(value, list | tuple) else (value,)
    return bool(values) and all(isinstance(one, bytes) for one in values)


def _write_lines(ready: list[str]) -> None:
    if ready:
        sys.stdout.write("\n".join(ready) + "\n")
        ready.clear()


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
