"""Finding rows by name: one sentence for what is not there, and for what is."""

import difflib
from collections.abc import Iterable
from typing import Any

from sesam.catalog.tables.configuration import Named
from sesam.errors import Conflict, NotFound, Protected


def find(row: type[Named], what: str, name: str) -> Any:
    """Return the row of that name. Raises NotFound, with names that are like it."""
    found = row.get_or_none(row.name == name)
    if found is None:
        known = [one.name for one in row.select(row.name)]
        near = difflib.get_close_matches(name, known, n=3)
        raise NotFound(
            f'no {what} "{name}"',
            hint=f"there is {' and '.join(near)}" if near else "",
        )
    return found


def find_or_none(row: type[Named], what: str, name: str) -> Any:
    """Return the row of that name, None for the empty name. Raises NotFound."""
    return find(row, what, name) if name else None


def refuse_known(row: type[Named], what: str, name: str) -> None:
    """Raise Conflict where an object of that name exists."""
    if row.get_or_none(row.name == name) is not None:
        raise Conflict(f'{what} "{name}" exists already')


def refuse_needed(what: str, name: str, needs: Iterable[tuple[str, Any]]) -> None:
    """Raise Protected where rows still refer to the object.

    needs -- kind of object, and the names of those that do
    """
    for kind, names in needs:
        known = sorted({str(one) for one in names})
        if known:
            some = ", ".join(f'"{one}"' for one in known[:3])
            more = " and others" if len(known) > 3 else ""
            raise Protected(f'{what} "{name}" is still needed by {kind} {some}{more}')
