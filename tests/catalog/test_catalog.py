"""The same code and the same tests on SQLite and on PostgreSQL."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import DAY, NOW, running

from sesam.catalog import audit, clients, drives, jobs, pools, savesets, site, tasks
from sesam.catalog.db import Catalog, open_catalog
from sesam.catalog.migrations import NEWEST
from sesam.catalog.schema import take_copy
from sesam.catalog.tables import ALL, database
from sesam.errors import (
    Busy,
    CatalogDamaged,
    CatalogError,
    CatalogTooNew,
    Conflict,
    NoSite,
    NotFound,
    Protected,
    WrongUsage,
)
from sesam.rules.records import (
    Client,
    Copy,
    DataStore,
    Drive,
    DriveGroup,
    Loader,
    MediaPool,
    Saveset,
    Task,
    TaskGroup,
)
from sesam.terms import CopyState, Level, MediumKind, Piece, Place, State


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    with catalog.change():
        clients.add_client(Client("web", "root@web"))
        pools.add_drive_group(DriveGroup("DISK"))
        pools.add_pool(MediaPool("DISK", "DISK"))
        drives.add_store(DataStore("default", "/srv/backup", "DISK"))
        tasks.add_task(Task("etc", "web", (b"/etc",)))
    return catalog


def saveset(name: str = "SF1", **more: object) -> Saveset:
    facts = {
        "task": "etc", "client": "web", "level": Level.FULL, "state": State.OK,
        "backup_day": DAY, "started_at": NOW, "ended_at": NOW, "format": 1,
        "files": 3_000_000_000, "bytes": 1 << 60,
    }  # fmt: skip
    return Saveset(name, **{**facts, **more})  # type: ignore[arg-type]


def copy(pieces: int = 3) -> Copy:
    made = tuple(
        Piece(f"data-{n:04d}", 1, Place(store="default", key=f"k/{n}"), 1 << 40, "d")
        for n in range(pieces)
    )
    return Copy(0, "DISK", CopyState.OK, DAY, 30, NOW, ("default",), made)


def commit(catalog: Catalog, one: Saveset) -> None:
    job = running(catalog, one.name)
    with catalog.change():
        jobs.finish(job, State.OK, now=NOW, message="", result={"n": 1})
        savesets.commit_saveset(one, copy(), job.id)


def test_the_models_are_what_the_migrations_made(catalog: Catalog) -> None:
    for model in ALL:
        columns = {
            one.name: one.null for one in database.get_columns(model._meta.table_name)
        }
        fields = {one.column_name: one.null for one in model._meta.sorted_fields}
        assert columns.keys() == fields.keys(), model
        for name, null in fields.items():
            if name not in ("id", "key", "thing", "saveset"):
                assert columns[name] is null, (model, name)


def test_what_goes_in_comes_out(catalog: Catalog) -> None:
    task = Task(
        "odd \N{SNOWMAN} name",
        "web",
        (b"/srv/\xff\xfe", b"/" + b"x" * 6000),
        excludes=("*.bak", "b\udcff", "\n", "re:\\x00"),
        exclude_caches=True,
        exclude_if_present=(".nobackup",),
        one_file_system=True,
        recipients=("age1x",),
        zstd_level=9,
        segment_bytes=1 << 50,
        pool="DISK",
        groups=("nightly",),
        note="n",
    )
    with catalog.change():
        clients.add_client(Client("web"))
        pools.add_drive_group(DriveGroup("DISK"))
        pools.add_pool(MediaPool("DISK", "DISK", 400, note="x"))
        tasks.add_group(TaskGroup("nightly"))
        tasks.add_task(task)
    assert tasks.get_task(task.name) == task
    assert tasks.get_group("nightly").tasks == (task.name,)
    assert pools.get_pool("DISK") == MediaPool("DISK", "DISK", 400, note="x")


def test_names_are_in_the_order_of_their_bytes(catalog: Catalog) -> None:
    names = ["b", "a", "B", "_", "ä", "a-b", "ab"]
    with catalog.change():
        for name in names:
            clients.add_client(Client(name))
    assert [one.name for one in clients.list_clients()] == sorted(names)


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a\nb", "x" * 201, " a"])
def test_a_name_that_none_can_be_is_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(WrongUsage), catalog.change():
        clients.add_client(Client(name))


def test_a_pool_name_does_not_end_like_a_label(filled: Catalog) -> None:
    with pytest.raises(WrongUsage, match="five digits"), filled.change():
        pools.add_pool(MediaPool("LTO00001", "DISK"))


def test_names_come_once_and_a_missing_one_is_named_with_its_like(
    filled: Catalog,
) -> None:
    with pytest.raises(Conflict, match='client "web"'), filled.change():
        clients.add_client(Client("web"))
    with pytest.raises(NotFound, match='no task "ect"') as found:
        tasks.get_task("ect")
    assert "etc" in found.value.hint


def test_nothing_goes_that_something_needs(filled: Catalog) -> None:
    commit(filled, saveset())
    for remove, name, needs in (
        (clients.remove_client, "web", 'task "etc"'),
        (pools.remove_drive_group, "DISK", 'media pool "DISK"'),
        (pools.remove_pool, "DISK", 'saveset "SF1"'),
        (drives.remove_store, "default", 'saveset "SF1"'),
        (drives.remove_drive, "default", 'data store "default"'),
        (tasks.remove_task, "etc", 'saveset "SF1"'),
    ):
        with pytest.raises(Protected) as found, filled.change():
            remove(name)
        assert needs in str(found.value)


def test_a_place_in_a_loader_is_one_drives(filled: Catalog) -> None:
    with filled.change():
        pools.add_drive_group(DriveGroup("LTO"))
        drives.add_loader(Loader("lib", "scsi:/dev/sg1"))
        drives.add_drive(Drive("d0", "LTO", MediumKind.TAPE, "scsi:/dev/sg2", "lib", 0))
    with pytest.raises(Conflict, match='"d0"'), filled.change():
        drives.add_drive(Drive("d1", "LTO", MediumKind.TAPE, "scsi:/dev/sg3", "lib", 0))
    with pytest.raises(Protected, match='"d0"'), filled.change():
        drives.remove_loader("lib")


def test_a_change_is_all_or_nothing(catalog: Catalog) -> None:
    with pytest.raises(Conflict), catalog.change():
        clients.add_client(Client("a"))
        clients.add_client(Client("a"))
    assert clients.list_clients() == []


def test_a_process_killed_within_a_change_leaves_the_state_before(
    catalog: Catalog, catalog_url: str
) -> None:
    killed = (
        "import os, sys\n"
        "from sesam.catalog import clients\n"
        "from sesam.catalog.db import open_catalog\n"
        "from sesam.rules.records import Client\n"
        "catalog = open_catalog(sys.argv[1])\n"
        "with catalog.change():\n"
        "    clients.add_client(Client('half'))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", killed, catalog_url])
    assert done.returncode == -signal.SIGKILL
    assert clients.list_clients() == []
    with catalog.change():
        clients.add_client(Client("whole"))


def test_a_commit_by_a_worker_that_lost_its_job_leaves_nothing(filled: Catalog) -> None:
    job = running(filled)
    stale = job._replace(fence=99)
    with pytest.raises(Busy), filled.change():
        savesets.commit_saveset(saveset(), copy(), job.id)
        jobs.finish(stale, State.OK, now=NOW, message="", result={})
    assert savesets.list_savesets() == []


def test_a_saveset_comes_back_with_its_copy_and_pieces(filled: Catalog) -> None:
    commit(filled, saveset(recipients=("age1x",)))
    found = savesets.get_saveset("SF1")
    assert found.files == 3_000_000_000
    assert found.started_at == NOW
    assert found.recipients == ("age1x",)
    (one,) = found.copies
    assert savesets.pieces_of(one.id) == copy().pieces
    assert savesets.list_savesets(task="etc", day=DAY) == [found]
    assert savesets.list_savesets(task="other") == []


def test_more_pieces_than_one_statement_takes(filled: Catalog) -> None:
    job = running(filled)
    with filled.change():
        jobs.finish(job, State.OK, now=NOW, message="", result={})
        savesets.commit_saveset(saveset(), copy(1234), job.id)
    (one,) = savesets.get_saveset("SF1").copies
    assert len(savesets.pieces_of(one.id)) == 1234


def test_a_buried_copy_leaves_a_tombstone_and_takes_its_saveset_along(
    filled: Catalog,
) -> None:
    commit(filled, saveset())
    (one,) = savesets.get_saveset("SF1").copies
    with filled.change():
        stone = savesets.bury_copy(one.id, reason="expired", now=NOW)
    assert savesets.open_tombstones() == [(stone, "SF1", ("default",))]
    assert not savesets.is_known("SF1")
    with filled.change():
        savesets.close_tombstone(stone)
    assert savesets.open_tombstones() == []


def test_the_newest_good_saveset_of_a_task(filled: Catalog) -> None:
    for number, state in enumerate((State.OK, State.WARNING, State.CANCELLED)):
        at = NOW + timedelta(hours=number)
        commit(filled, saveset(f"SF{number}", state=state, started_at=at))
    newest = savesets.newest_good("etc")
    assert newest is not None
    assert newest.name == "SF1"
    earlier = savesets.newest_good("etc", until=NOW)
    assert earlier is not None
    assert earlier.name == "SF0"
    assert savesets.newest_good("etc", until=NOW - timedelta(days=1)) is None


def test_the_database_has_a_clock(catalog: Catalog) -> None:
    assert abs(catalog.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_settings_and_audit(catalog: Catalog) -> None:
    with catalog.change():
        site.put(site.ZONE, "UTC")
        site.put(site.ZONE, "Europe/Berlin")
        site.add_newday("08:00", NOW)
        audit.record(NOW, "me", "sm_x", "init", "/x")
    assert site.get(site.ZONE) == "Europe/Berlin"
    assert site.newday_is_on()


def test_a_later_schema_is_refused(catalog: Catalog, catalog_url: str) -> None:
    database.execute_sql(f"UPDATE schema_version SET version = {NEWEST + 1}")
    catalog.close()
    with pytest.raises(CatalogTooNew, match=str(NEWEST + 1)):
        open_catalog(catalog_url)


def test_a_copy_of_the_catalog_is_whole_and_private(
    filled: Catalog, tmp_path: Path
) -> None:
    old = os.umask(0)
    try:
        path = take_copy(database.obj, str(tmp_path / "copy"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    if path.endswith(".db"):
        with sqlite3.connect(path) as one:
            assert one.execute("SELECT name FROM task").fetchall() == [("etc",)]
        one.close()
    else:
        shown = subprocess.run(["pg_restore", "--list", path], capture_output=True)
        assert b"TABLE DATA public task" in shown.stdout


def test_a_catalog_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSite, match="no catalog"):
        open_catalog(f"sqlite:///{tmp_path}/none.db")


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(CatalogError) as found:
        open_catalog("postgresql://me:secret@127.0.0.1:1/x?connect_timeout=2")
    assert "127.0.0.1" in str(found.value)
    assert "secret" not in str(found.value)


def test_what_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 30)
    with pytest.raises(CatalogDamaged):
        open_catalog(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "mysql://x/y", "nonsense", "sqlite:"]
)
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises((WrongUsage, CatalogError)):
        open_catalog(url)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sources=st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=5))
def test_any_bytes_of_a_source_survive(filled: Catalog, sources: list[bytes]) -> None:
    task = Task("etc", "web", tuple(sources))
    with filled.change():
        tasks.modify_task(task)
    assert tasks.get_task("etc").sources == tuple(sources)
