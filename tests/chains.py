"""Chains of savesets, for tests of what keeps them together or takes them apart."""

import sqlite3
from pathlib import Path
from typing import Any

from conftest import Site


def full(site: Site, source: Path, task: str = "tree", *options: str) -> str:
    """Back up a FULL, of a task that is added with these options; return its name."""
    if site.sm("task show", task, code=None).code:
        site.sm("task add", task, "--source", source, *options)
    return str(site.json("backup start", task, "--level", "FULL")["saveset"])


def chain(site: Site, source: Path, links: int = 3, task: str = "tree") -> list[str]:
    """Back up a FULL and savesets that build on it one after the other; their names."""
    source.mkdir(parents=True, exist_ok=True)
    (source / "first").write_text("first")
    names = [full(site, source, task)]
    for number in range(1, links):
        (source / f"more{number}").write_text(f"more {number}")
        done = site.json("backup start", task, "--level", "INCR")
        if done["base"] is None:
            build_on(site, done["saveset"], names[-1])
        names.append(done["saveset"])
    return names


def build_on(site: Site, saveset: str, base: str) -> None:
    """Let the catalog say that a saveset builds on another."""
    execute(
        site,
        "UPDATE saveset SET level = 'INCR', base = ? WHERE name = ?",
        base,
        saveset,
    )


def execute(site: Site, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement on the catalog of a site."""
    connection = sqlite3.connect(site.root / "var/db/sesam.db", timeout=30)
    with connection:
        found = connection.execute(statement, values).fetchall()
    connection.close()
    return found


def expired(site: Site, *savesets: str) -> None:
    """Let the EOL of these savesets have passed long ago."""
    for one in savesets:
        site.sm("backup expire", one, "--eol", "2020-01-01")


def listed(site: Site) -> list[str]:
    """The savesets that the catalog knows, oldest first."""
    return [row["saveset"] for row in site.json("backup list")]


def stored(site: Site) -> set[str]:
    """What lies in the data store `default`."""
    return {one.name for one in site.store().iterdir() if one.name[0] != "."}


def audited(site: Site, what: str) -> list[tuple[Any, ...]]:
    """The objects and details of what the audit has recorded."""
    return execute(site, "SELECT object, detail FROM audit WHERE what = ?", what)
