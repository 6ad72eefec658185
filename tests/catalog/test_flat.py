"""What a tick asks costs the same, however long the history."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from running import DAY, NOW

from sesam.catalog import alarms, notices, tasks
from sesam.catalog.db import Catalog
from sesam.catalog.tables import ClientRow, SavesetRow, TaskRow, database


def test_what_each_tick_asks_is_found_in_an_index(catalog: Catalog) -> None:
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
    for question, index in (
        (alarms.open_alarms, "alarm_open"),
        (alarms.missing_copies, "copy_missing"),
        (partial(notices.is_due, NOW), "notice_due"),
    ):
        assert not question()
        if catalog.is_sqlite:
            assert f"USING INDEX {index}" in plan_of(question).replace("COVERING ", "")
    if catalog.is_sqlite:
        told = plan_of(tasks.watched_tasks)
        assert "saveset_good (task=?)" in told
        assert "SCAN s" not in told


def plan_of(question: Callable[[], object]) -> str:
    """How SQLite finds what a question asks for."""
    seen: list[str] = []
    connection = database.connection()
    connection.set_trace_callback(seen.append)
    question()
    connection.set_trace_callback(None)
    plan = database.execute_sql(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall()
    return " ".join(row[3] for row in plan)
