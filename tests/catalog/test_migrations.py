"""A catalog of every earlier schema comes up to the newest one, after a copy."""

import sqlite3
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from peewee import Database, SqliteDatabase
from playhouse.db_url import connect

from sesam.catalog import schedules, tasks
from sesam.catalog.db import open_catalog
from sesam.catalog.migrations import NEWEST, STEPS
from sesam.catalog.schema import WORDS
from sesam.rules.schedule import Schedule

FILL = (
    "INSERT INTO client (id, name, ssh, program, note) VALUES (1, 'web', '', '', '')",
    "INSERT INTO task (id, name, client_id, type, excludes, exclude_caches,"
    " exclude_if_present, one_file_system, recipients, zstd_level, segment_bytes, note)"
    " VALUES (1, 'etc', 1, 'path', '[]', 0, '[]', 0, '[]', 3, 4294967296, '')",
    "INSERT INTO schedule (name, start, rrule, enabled, added_at) VALUES ('NEWDAY',"
    " '08:00', 'FREQ=DAILY', 1, '2026-11-01T08:00:00.000000+00:00')",
    "INSERT INTO job (type, object, state, priority, backup_day, queued_at, worker,"
    " fence, message, log, result) VALUES ('backup', 'etc', 'ok', 1, '2027-03-28',"
    " '2027-03-28T00:00:00.000000+00:00', '', 1, '', '', '{}')",
)


def make(db: Database, version: int) -> None:
    """Make a catalog of the first release, as it came up to schema `version`."""
    words = WORDS[isinstance(db, SqliteDatabase)]
    first, *later = STEPS[:version]
    statements = [*first, *(one.replace("{", "{{").replace("}", "}}") for one in FILL)]
    for statement in (*statements, *(one for step in later for one in step)):
        db.execute_sql(statement.format(**words))
    db.execute_sql("CREATE TABLE schema_version (version BIGINT NOT NULL)")
    db.execute_sql(f"INSERT INTO schema_version VALUES ({version})")
    db.close()


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_an_earlier_schema_comes_up_with_all_it_held(
    catalog_url: str, tmp_path: Path, version: int
) -> None:
    if catalog_url.startswith("sqlite"):
        make(SqliteDatabase(str(tmp_path / "catalog.db")), version)
    else:
        make(connect(catalog_url), version)
    copies = tmp_path / "copies"
    copies.mkdir()
    catalog = open_catalog(catalog_url, copies=str(copies))
    try:
        assert tasks.get_task("etc").max_chain == 100
        assert tasks.get_task("etc").full_every == 0
        newday = schedules.get_schedule("NEWDAY")
        since = datetime(2026, 11, 1, 8, tzinfo=UTC)
        assert newday == Schedule("NEWDAY", time(8), "FREQ=DAILY", since=since)
    finally:
        catalog.close()
    taken = sorted(one.stem for one in copies.iterdir())
    assert taken == [f"before-schema-{n + 1}" for n in range(version, NEWEST)]
    for one in copies.glob("*.db"):
        with sqlite3.connect(one) as copy:
            assert copy.execute("SELECT name FROM task").fetchall() == [("etc",)]
        copy.close()
