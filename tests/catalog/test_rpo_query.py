"""What an RPO costs: one look into an index, however long the history."""

from datetime import timedelta

from running import DAY, NOW

from sesam.catalog import tasks
from sesam.catalog.db import Catalog
from sesam.catalog.tables import ClientRow, SavesetRow, TaskRow, database


def test_the_newest_good_saveset_is_found_in_an_index(catalog: Catalog) -> None:
    with catalog.change():
        client = ClientRow.create(name="c", ssh="", program="", note="")
        TaskRow.create(
            name="t",
            client=client,
            type="path",
            excludes=(),
            exclude_caches=False,
            exclude_if_present=(),
            one_file_system=False,
            recipients=(),
            zstd_level=3,
            segment_bytes=1,
            note="",
            max_chain=100,
            full_every=0,
            rpo=24,
            rpo_since=NOW,
        )
        for number in range(500):
            SavesetRow.create(
                name=f"S{number}",
                task="t",
                client="c",
                level="FULL",
                base="",
                state="ok" if number < 100 else "cancelled",
                backup_day=DAY,
                started_at=NOW + timedelta(hours=number),
                ended_at=NOW,
                format=1,
                files=0,
                changed=0,
                deleted=0,
                bytes=0,
                stored_bytes=0,
                warnings=0,
                recipients=(),
                source_digest="",
                locked=False,
            )
    (found,) = tasks.watched_tasks()
    assert found == ("t", 24, NOW, NOW + timedelta(hours=99))
    if catalog.is_sqlite:
        seen: list[str] = []
        connection = database.connection()
        connection.set_trace_callback(seen.append)
        tasks.watched_tasks()
        connection.set_trace_callback(None)
        plan = database.execute_sql(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall()
        told = " ".join(row[3] for row in plan)
        assert "saveset_good (task=?)" in told
        assert "SCAN s" not in told
