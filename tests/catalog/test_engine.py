"""A catalog that is damaged, emptied or forbidden says so, in a sentence."""

import os
import random
import sqlite3
from pathlib import Path

import pytest
from conftest import Site

from sesam.catalog import checks, clients, drives, jobs, tasks
from sesam.catalog.address import sqlite_path, without_password
from sesam.catalog.db import open_catalog
from sesam.catalog.tables import ALL, database
from sesam.errors import CatalogDamaged, CatalogError, NoSite, WrongUsage

READS = (
    "client list", "task list", "task group list", "media list", "media store list",
    "media pool list", "media drive list", "media loader list", "media group list",
    "backup list", "job list", "event list", "setup key list", "setup check",
    "backup verify --all",
)  # fmt: skip


def test_a_table_that_is_gone_is_named(catalog_url: str) -> None:
    catalog = open_catalog(catalog_url, create=True)
    try:
        # Events refer to it: PostgreSQL has to be told that this is known.
        known = "" if catalog.is_sqlite else " CASCADE"
        database.execute_sql(f"DROP TABLE drive{known}")
        database.execute_sql("DROP TABLE loader")
        for ask in (drives.list_loaders, drives.list_drives):
            with pytest.raises(CatalogDamaged):
                ask()
        found = list(checks.problems(catalog))
        assert len(found) == 2
        assert 'table "loader"' in found[0]
        assert clients.list_clients() == []
        with pytest.raises(CatalogDamaged), catalog.change():
            drives.remove_loader("x")
    finally:
        catalog.close()


def test_a_catalog_without_its_number_is_damaged(catalog_url: str) -> None:
    for spoil in ("DELETE FROM schema_version", "DROP TABLE schema_version"):
        catalog = open_catalog(catalog_url, create=True)
        database.execute_sql(spoil)
        catalog.close()
        with pytest.raises(CatalogDamaged, match="which schema"):
            open_catalog(catalog_url, create=True)
        put_back_the_number(catalog_url)


def put_back_the_number(url: str) -> None:
    """Do what an admin with SQL would."""
    from sesam.catalog.engine import server_database, sqlite_database
    from sesam.catalog.migrations import NEWEST

    make = sqlite_database if url.startswith("sqlite:") else server_database
    db = make(url)
    text = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"
    db.execute_sql(text)
    db.execute_sql(f"INSERT INTO schema_version VALUES ({NEWEST})")
    db.close()


@pytest.mark.parametrize(
    ("statement", "ask"),
    [
        ("UPDATE task SET excludes = '['", tasks.list_tasks),
        ("UPDATE job SET queued_at = 'soon'", jobs.list_jobs),
        ("UPDATE job SET backup_day = ''", jobs.list_jobs),
        ("UPDATE client SET note = CAST(x'ff' AS TEXT)", clients.list_clients),
    ],
)
def test_a_value_that_cannot_be_one_is_damage(
    site: Site, statement: str, ask: object, tmp_path: Path
) -> None:
    (tmp_path / "s").mkdir()
    site.backup(tmp_path / "s")
    with sqlite3.connect(site.root / "var/db/sesam.db") as db:
        db.execute(statement)
    db.close()
    catalog = open_catalog(f"sqlite:///{site.root}/var/db/sesam.db")
    try:
        with pytest.raises(CatalogDamaged):
            ask()  # type: ignore[operator]
    finally:
        catalog.close()


def test_pages_overwritten_with_noise_give_sentences(site: Site) -> None:
    path = site.root / "var/db/sesam.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
        names = [f"'{one._meta.table_name}'" for one in ALL if one is not ALL[0]]
        roots = db.execute(
            f"SELECT rootpage FROM sqlite_master WHERE tbl_name IN ({','.join(names)})"
        ).fetchall()
    db.close()
    rng = random.Random(7)
    with open(path, "r+b") as file:
        for (page,) in roots:
            file.seek((page - 1) * size)
            file.write(rng.randbytes(size))
    for words in READS:
        verbs, _, option = words.partition(" --")
        done = site.sm(verbs, *([f"--{option}"] if option else []), code=None)
        assert done.code in (0, 3, 23), (words, done)
    rows = site.json("setup check", code=3)
    assert {one["state"] for one in rows if one["check"] == "catalog"} == {"error"}


def test_an_emptied_catalog_is_damaged_and_init_keeps_its_hands_off(
    site: Site,
) -> None:
    path = site.root / "var/db/sesam.db"
    for one in path.parent.iterdir():
        one.unlink()
    path.touch()
    assert site.sm("client list", "--format", "json", code=23).error["hint"]
    site.sm("setup init", "--zone", "UTC", code=23)
    assert path.stat().st_size == 0
    path.unlink()
    # A new catalog would be another site: the store bears the id of the one before.
    site.sm("setup init", "--zone", "UTC", code=36)
    assert not path.exists()


def test_another_users_site_is_not_called_no_site(site: Site) -> None:
    url = f"sqlite:///{site.root}/var/db/sesam.db"
    site.root.chmod(0)
    child = os.fork()
    if not child:
        if not os.geteuid():
            os.setuid(65534)
        try:
            open_catalog(url)
        except CatalogError as error:
            os._exit(error.exit_code)
        os._exit(0)
    site.root.chmod(0o700)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 20


def test_what_is_no_directory_holds_no_site(tmp_path: Path) -> None:
    path = tmp_path / "file" / "sesam.db"
    path.parent.write_text("")
    with pytest.raises(NoSite):
        open_catalog(f"sqlite:///{path}")
    long = tmp_path / ("x" * 300)
    with pytest.raises(CatalogError) as found:
        open_catalog(f"sqlite:///{long}")
    assert not isinstance(found.value, NoSite)


def test_an_address_is_read_exactly_and_shown_without_its_password() -> None:
    assert sqlite_path("sqlite:////a%23b%3F%25%0A") == "/a#b?%\n"
    for url in (
        "sqlite:////a#b", "sqlite:////a%ff", "sqlite:////a%00b", "postgresql://[x/y",
        "http://[x", "postgresql://u@h:99999/x", "postgresql://u@h:port/x",
        "postgresql://u:pw@h", "sqlite:////a?timeout=nan", "sqlite:////a?timeout=x",
        "sqlite://h//a", "sqlite:////a?timeout=-1",
    ):  # fmt: skip
        with pytest.raises(WrongUsage) as found:
            open_catalog(url)
        assert "pip install" not in found.value.hint
    for url in ("postgresql://u:s#cret@h/x", "postgresql://u@h/x?password=s#cret"):
        assert "cret" not in without_password(url)
        assert without_password(url).startswith("postgresql://u")


def test_a_value_that_breaks_a_constraint_passes(catalog_url: str) -> None:
    from peewee import IntegrityError

    catalog = open_catalog(catalog_url, create=True)
    try:
        add = "INSERT INTO client (name, ssh, program, note) VALUES ('a', '', '', '')"
        with pytest.raises(IntegrityError), catalog.change():
            database.execute_sql(add)
            database.execute_sql(add)
    finally:
        catalog.close()
