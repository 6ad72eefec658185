"""Chains of savesets: what a saveset builds on, down to its FULL."""

from collections.abc import Sequence

from sesam.catalog.savesets import newest_good, records_of
from sesam.catalog.tables import PieceRow, SavesetRow, database
from sesam.rules.records import Saveset
from sesam.terms import Level, Place

_MANIFEST = "manifest.json"

# Longer than any chain may grow: rows that name each other must not hold us for ever.
_DEEPEST = 1000

_WALK = """
WITH RECURSIVE link (name, base, depth) AS (
    SELECT name, base, 0 FROM saveset WHERE name = {0}
    UNION ALL
    SELECT below.name, below.base, link.depth + 1
    FROM saveset AS below JOIN link ON below.name = link.base
    WHERE link.depth < {1})
SELECT name FROM link ORDER BY depth DESC
"""


def chain_of(name: str) -> list[Saveset]:
    """Return a saveset and all it builds on, FULL first, copies without pieces.

    Where a base is missing the list begins with the saveset that names it.
    """
    mark = database.param
    found = database.execute_sql(_WALK.format(mark, mark), (name, _DEEPEST))
    names = [row[0] for row in found.fetchall()]
    by_name = {one.name: one for one in records_of(SavesetRow.name.in_(names))}
    return [by_name[one] for one in names]


def chain_to_build_on(task: str, level: Level) -> list[Saveset]:
    """Return what the next DIFF or INCR of a task would build on, FULL first.

    Empty where there is no good saveset. COPY is outside of every chain.
    """
    levels = [Level.FULL]
    if level is Level.INCR:
        levels += [Level.DIFF, Level.INCR]
    newest = newest_good(task, levels=levels)
    return chain_of(newest.name) if newest else []


def manifest_places(copies: Sequence[int]) -> list[tuple[int, Place]]:
    """Return (copy, place) of the manifests of copies that lie in data stores."""
    query = PieceRow.select().where(
        PieceRow.copy.in_(copies), PieceRow.part == _MANIFEST, PieceRow.store != ""
    )
    return [
        (row.__data__["copy"], Place(store=row.store, key=row.key)) for row in query
    ]
