"""What retention asks of the catalog, and how it forgets, on both engines."""

import os
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sesam.catalog import jobs, retention, saveset_claims, savesets, upkeep
from sesam.catalog.db import Catalog
from sesam.catalog.tables import TombstoneRow
from sesam.errors import CatalogError, NotFound, Protected
from sesam.rules.records import Copy, Saveset
from sesam.rules.retention import effective_eols
from sesam.service.ground.owner import current_owner
from sesam.terms import CopyState, Level, Piece, Place, State

NOW = datetime(2027, 3, 28, 1, tzinfo=UTC)
DAY = date(2027, 3, 28)


def saveset(name: str, base: str = "", **more: object) -> Saveset:
    facts: dict = {
        "task": "etc", "client": "web", "state": State.OK, "backup_day": DAY,
        "started_at": NOW, "ended_at": NOW, "format": 1, "stored_bytes": 7, **more,
    }  # fmt: skip
    level = Level.INCR if base else Level.FULL
    return Saveset(name, level=level, base=base, **facts)


def place(store: str, key: str) -> Place:
    return Place(store=store, key=key)


def commit(
    catalog: Catalog, one: Saveset, eol: date = DAY, at: Place | None = None
) -> int:
    """Make a saveset with one copy of two pieces; return the number of the copy."""
    pieces = tuple(
        Piece(part, 1, at or place("default", f"{one.name}/{part}"), 3, "d")
        for part in ("data", "manifest.json")
    )
    medium = (at.medium or at.store) if at else "default"
    copy = Copy(0, "DISK", CopyState.OK, eol, 30, NOW, (medium,), pieces)
    with catalog.change():
        savesets.commit_saveset(one, copy, None)
    return savesets.get_saveset(one.name).copies[0].id


def test_savesets_as_retention_sees_them(catalog: Catalog) -> None:
    first = commit(catalog, saveset("SF1"), DAY - timedelta(days=9))
    commit(catalog, saveset("SI2", "SF1", state=State.CANCELLED), DAY)
    commit(catalog, saveset("SF3", task="web"))
    one, two, _ = retention.holdings()
    assert (one.name, one.base, one.good, one.stored_bytes) == ("SF1", "", True, 7)
    assert (two.level, two.base, two.good) == (Level.INCR, "SF1", False)
    (copy,) = one.copies
    assert (copy.id, copy.media, copy.state) == (first, ("default",), CopyState.OK)
    assert effective_eols(retention.holdings(task="etc")) == {"SF1": DAY, "SI2": DAY}


def test_a_lock_and_an_eol_are_set_by_name(catalog: Catalog) -> None:
    commit(catalog, saveset("SF1"))
    with catalog.change():
        retention.set_locked("SF1", True)
        retention.set_eol("SF1", DAY + timedelta(days=5))
    found = savesets.get_saveset("SF1")
    assert (found.locked, found.copies[0].eol) == (True, DAY + timedelta(days=5))
    for change in (
        lambda: retention.set_locked("none", True),
        lambda: retention.set_eol("none", DAY),
    ):
        with pytest.raises(NotFound), catalog.change():
            change()


def forget(catalog: Catalog, copy: int, **more: date) -> retention.Forgotten | None:
    with catalog.change():
        return retention.forget_copy(copy, reason="why", now=NOW, **more)


def test_a_forgotten_copy_leaves_a_tombstone_and_is_forgotten_once(
    catalog: Catalog,
) -> None:
    number = commit(catalog, saveset("SF1"))
    gone = forget(catalog, number)
    assert gone is not None
    assert (gone.last, gone.waiting) == (True, True)
    assert savesets.open_tombstones() == [(gone.stone, "SF1", ("default",))]
    assert forget(catalog, number) is None


def test_of_a_copy_on_tape_nothing_waits(catalog: Catalog) -> None:
    number = commit(catalog, saveset("SF1"), at=Place(medium="LTO00001", file=3))
    gone = forget(catalog, number)
    assert gone is not None
    assert not gone.waiting
    assert savesets.open_tombstones() == []
    assert TombstoneRow.get().media == ("LTO00001",)


def test_what_has_changed_since_the_plan_is_not_forgotten(catalog: Catalog) -> None:
    number = commit(catalog, saveset("SF1"), DAY)
    with pytest.raises(Protected, match="has EOL 2027-03-28 by now"):
        forget(catalog, number, expired_on=DAY)
    commit(catalog, saveset("SI2", "SF1"))
    with pytest.raises(Protected, match='still needed by saveset "SI2"'):
        forget(catalog, number, expired_on=DAY + timedelta(days=1))
    with catalog.change():
        retention.set_locked("SF1", True)
    with pytest.raises(Protected, match="locked"):
        forget(catalog, number)
    assert savesets.is_known("SF1")


def test_tombstones_are_kept_so_long(catalog: Catalog) -> None:
    forget(catalog, commit(catalog, saveset("SF1")))
    with catalog.change():
        assert retention.prune_tombstones(NOW) == 0
    with catalog.change():
        assert retention.prune_tombstones(NOW + timedelta(seconds=1)) == 1
    assert savesets.open_tombstones() == []


def test_pieces_come_copy_by_copy_with_what_is_known_of_it(catalog: Catalog) -> None:
    first = commit(catalog, saveset("SF1"))
    commit(catalog, saveset("SF2"), at=Place(medium="LTO00001", file=3))
    with catalog.change():
        savesets.set_copy_state(first, CopyState.MISSING)
    found = list(retention.stored_pieces())
    assert [(one.copy, one.key) for one in found] == [
        (first, "SF1/data"),
        (first, "SF1/manifest.json"),
    ]
    assert {one.state for one in found} == {CopyState.MISSING}
    assert retention.copies_among([first, 999]) == {first}


def test_what_may_have_bytes_somewhere_is_known(catalog: Catalog) -> None:
    commit(catalog, saveset("SF1"))
    forget(catalog, commit(catalog, saveset("SF2")))
    with catalog.change():
        job = jobs.enqueue("backup", "etc", backup_day=DAY, now=NOW)
    job = jobs.start(catalog, job.id, current_owner(), clock=lambda: NOW, log="")
    with catalog.change():
        saveset_claims.claim_saveset("SF3", job, ("default",), NOW)
    names, pairs = retention.known_places()
    assert names == {"SF2", "SF3"}
    assert pairs == {("SF1", "default")}


def test_encrypted_savesets_are_told(catalog: Catalog) -> None:
    commit(catalog, saveset("SF1"))
    commit(catalog, saveset("SF2", recipients=("age1x",)))
    assert retention.encrypted_savesets() == {"SF2"}


def test_a_copy_of_the_catalog_gets_its_name_when_it_is_whole(
    catalog: Catalog, tmp_path: Path
) -> None:
    commit(catalog, saveset("SF1"))
    where = tmp_path / "copies"
    where.mkdir()
    made = Path(upkeep.copy_catalog(catalog, str(where / "newday-2027-03-28")))
    assert os.listdir(where) == [made.name]
    assert made.stat().st_mode & 0o777 == 0o600
    if catalog.is_sqlite:
        assert made.name == "newday-2027-03-28.db"
        with sqlite3.connect(made) as one:
            assert one.execute("SELECT name FROM saveset").fetchall() == [("SF1",)]
        one.close()
    # The same day again replaces it.
    assert upkeep.copy_catalog(catalog, str(where / "newday-2027-03-28")) == str(made)


def test_the_newest_copies_are_kept_and_half_made_ones_go(tmp_path: Path) -> None:
    days = [f"newday-2027-03-{day:02}.db" for day in range(1, 11)]
    for name in (*days, "newday-2027-03-11.new.db", "sesam.db", "before-schema-2.db"):
        (tmp_path / name).write_text("")
    upkeep.prune_copies(str(tmp_path), "newday-", 7)
    assert sorted(os.listdir(tmp_path)) == sorted(
        [*days[3:], "sesam.db", "before-schema-2.db"]
    )


def test_free_pages_go_back_and_the_tables_are_looked_at(
    catalog: Catalog, catalog_url: str
) -> None:
    with catalog.change():
        for number in range(300):
            jobs.enqueue("x", "y" * 3000 + str(number), backup_day=DAY, now=NOW)
    from sesam.catalog.tables import JobRow

    with catalog.change():
        JobRow.delete().execute()
    upkeep.analyze(catalog)
    freed = upkeep.free_pages(catalog, lambda: False)
    assert (freed > 100) is catalog.is_sqlite
    assert upkeep.free_pages(catalog, lambda: False) == 0


def test_of_a_copy_that_fails_nothing_is_left(catalog: Catalog, tmp_path: Path) -> None:
    where = tmp_path / "copies"
    where.mkdir()
    (where / "day.db").mkdir()
    (where / "day.dump").mkdir()
    with pytest.raises(CatalogError, match="no copy of the catalog"):
        upkeep.copy_catalog(catalog, str(where / "day"))
    assert sorted(os.listdir(where)) == ["day.db", "day.dump"]
