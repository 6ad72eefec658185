"""What is absent is not damaged: its store is asked for again, nothing is recorded."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from conftest import Site


@pytest.fixture
def kept(site: Site, tmp_path: Path) -> Site:
    """A site with one saveset in store `default`."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "f").write_text("kept")
    site.backup(source)
    return site


def copy_states(site: Site) -> list[str]:
    with sqlite3.connect(site.root / "var/db/sesam.db") as db:
        found = [row[0] for row in db.execute("SELECT state FROM copy ORDER BY id")]
    db.close()
    return found


def away(store: Path) -> None:
    store.rename(store.with_name("away"))
    store.mkdir()


def swapped(store: Path) -> None:
    marker = store / ".sesam-store"
    facts = json.loads(marker.read_text())
    marker.write_text(json.dumps({**facts, "store": "another"}))


def foreign(store: Path) -> None:
    marker = store / ".sesam-store"
    facts = json.loads(marker.read_text())
    marker.write_text(json.dumps({**facts, "site": "another"}))


@pytest.mark.parametrize(("what", "code"), [(away, 34), (swapped, 32), (foreign, 36)])
def test_an_absent_store_is_not_called_damaged(
    kept: Site, what: object, code: int
) -> None:
    what(kept.store())  # type: ignore[operator]
    assert kept.sm("backup verify", "--all", code=code).out == ""
    assert copy_states(kept) == ["ok"]


def test_missing_bytes_in_a_store_that_is_there_are_damage(kept: Site) -> None:
    (saveset,) = (one for one in kept.store().iterdir() if one.name.startswith("SF"))
    shutil.rmtree(saveset)
    kept.sm("backup verify", "--all", code=40)
    assert copy_states(kept) == ["damaged"]


def test_a_store_that_ssh_does_not_reach_is_not_called_damaged(
    site: Site, tmp_path: Path
) -> None:
    site.sm("client add", "far")
    site.sm("media group add", "FAR")
    store = tmp_path / "far store"
    site.sm("media store add", "big", "--path", store, "--group", "FAR", "--rds", "far")
    site.sm("media pool add", "FARPOOL", "--group", "FAR")
    source = tmp_path / "source"
    source.mkdir()
    source_of = ("--client", "far", "--source", source)
    site.sm("task add", "t", *source_of, "--pool", "FARPOOL")
    site.sm("backup start", "t")
    assert site.json("backup verify", "--all")[0]["state"] == "ok"
    store.rename(tmp_path / "away")
    assert site.sm("backup verify", "--all", code=34).err.startswith("error: ")
    store.mkdir()
    site.sm("backup verify", "--all", code=34)
    site.sm("client modify", "far", "--ssh", "ssh://nobody@127.0.0.1:1")
    done = site.sm("backup verify", "--all", "--format", "json", code=55)
    assert done.error["error"] == "Unreachable"
    assert copy_states(site) == ["ok"]
