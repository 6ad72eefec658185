"""Locks, EOLs and removal by hand, through real processes."""

import os
import signal
from pathlib import Path

import pytest
from chains import audited, chain, execute, expired, full, listed, stored
from conftest import Site
from killing import Step, killed_at


def test_a_base_is_removed_with_its_dependents_or_not_at_all(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source")
    done = site.sm("backup remove", names[0], "--format", "json", code=12)
    assert all(name in done.error["message"] for name in names)
    assert "--with-dependents" in done.error["hint"]
    assert listed(site) == names
    assert stored(site) == set(names)
    words = ("backup remove", names[1], "--with-dependents")
    planned = site.json(*words, "--dry-run")
    assert listed(site) == names
    assert not audited(site, "delete copy")
    rows = site.json(*words, "--yes")
    assert [row["saveset"] for row in rows] == [names[2], names[1]]
    same = ("saveset", "pool", "media", "eol", "bytes", "reason")
    for before, after in zip(planned, rows, strict=True):
        assert [before[key] for key in same] == [after[key] for key in same]
        assert (before["state"], after["state"]) == ("planned", "removed")
    assert listed(site) == names[:1]
    assert stored(site) == set(names[:1])
    assert set(os.listdir(site.root / "var/lis")) == {f"{names[0]}.listing.zst"}
    assert {name for name, _ in audited(site, "delete copy")} == set(names[1:])
    site.sm("setup check")


def test_a_removal_is_a_job_with_a_log_for_each_saveset_named(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 2)
    site.sm("backup remove", *names)
    jobs = [row for row in site.json("job list") if row["type"] == "remove"]
    assert [(row["object"], row["state"]) for row in jobs] == [
        (names[1], "ok"),
        (names[0], "ok"),
    ]
    log = site.sm("job log", jobs[1]["job"]).out
    assert f"removal of {names[0]}: 1 saveset" in log
    assert f"{names[0]} in default is removed: removed by hand" in log
    assert listed(site) == []


def test_what_is_locked_is_never_deleted_nor_dragged_along(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source")
    row = site.json("backup lock", names[1])
    assert (row["saveset"], row["locked"], row["eol"]) == (
        names[1],
        True,
        "9999-12-31",
    )
    assert "never" in site.sm("backup show", names[1]).out
    rows = site.json("backup list")
    assert [row["eol"] == "9999-12-31" for row in rows] == [True, True, False]
    for words in ((names[1],), (names[0], "--with-dependents")):
        done = site.sm("backup remove", *words, "--with-dependents", code=12)
        assert "is locked" in done.err
        assert f"sm_backup unlock {names[1]}" in done.err
    expired(site, *names)
    site.sm("newday run")
    assert set(listed(site)) == set(names)
    assert site.json("backup unlock", names[1])["locked"] is False
    assert site.json("backup list")[0]["eol"] == "2020-01-01"
    assert [name for name, _ in audited(site, "unlock")] == [names[1]]
    site.sm("backup remove", names[0], "--with-dependents")


def test_the_eol_of_a_base_is_that_of_what_builds_on_it(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source")
    row = site.json("backup expire", names[2], "--eol", "2099-01-01")
    assert (row["saveset"], row["eol"], row["copies"]) == (names[2], "2099-01-01", 1)
    expired(site, names[0], names[1])
    assert {row["eol"] for row in site.json("backup list")} == {"2099-01-01"}
    assert site.json("backup show", names[0])["eol"] == "2099-01-01"
    day = row["backup_day"]
    assert {row["eol"] for row in site.json("backup list", "--day", day)} == {
        "2099-01-01"
    }
    details = [detail for _, detail in audited(site, "expire")]
    assert details == ["EOL 2099-01-01", "EOL 2020-01-01", "EOL 2020-01-01"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("backup remove", "SF20270328010000000@AAAAAAAAAAA"), 10),
        (("backup remove",), 2),
        (("backup lock", "none"), 10),
        (("backup unlock", "none"), 10),
        (("backup expire", "none", "--eol", "2030-01-01"), 10),
        (("backup expire", "none"), 2),
        (("backup expire", "none", "--eol", "soon"), 2),
        (("setup check", "--delete-unknown"), 2),
    ],
    ids=str,
)
def test_what_cannot_be_is_said(site: Site, words: tuple[str, ...], code: int) -> None:
    done = site.sm(*words, "--format", "json", code=code)
    assert done.error["exit_code"] == code


# What a removal does at last before it is killed.
REMOVAL_STEPS = [
    ("remove", "var/lis", 1),
    ("remove", "manifest.json", 1),
    ("rmdir", "store/S", 1),
    ("remove", "manifest.json", 2),
    ("fsync", "", 1),
]


@pytest.mark.parametrize("step", REMOVAL_STEPS)
def test_a_removal_killed_at_a_step_is_finished_by_the_next_command(
    site: Site, tmp_path: Path, step: Step
) -> None:
    names = chain(site, tmp_path / "source", 2)
    killed_at(site, step, "backup remove", names[0], "--with-dependents")
    site.sm("setup check", "--repair")
    left = listed(site)
    assert left == names[: len(left)]
    assert stored(site) == set(left)
    assert execute(site, "SELECT count(*) FROM tombstone WHERE done = 0") == [(0,)]
    site.sm("setup check")
    for name in left:
        assert site.json("backup verify", name)[0]["state"] == "ok"
    if left:
        site.sm("backup remove", names[0], "--with-dependents")
    assert stored(site) == set()
    assert set(os.listdir(site.root / "var/lis")) <= {f"{n}.listing.zst" for n in names}
    site.sm("newday run")
    assert os.listdir(site.root / "var/lis") == []


def test_bytes_in_an_absent_store_wait_until_it_is_back(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 2)
    away = tmp_path / "away"
    site.store().rename(away)
    (row,) = site.json("backup remove", names[1], code=3)
    assert row["state"] == "waiting"
    assert listed(site) == names[:1]
    assert (away / names[1] / "manifest.json").exists()
    away.rename(site.store())
    rows = {row["check"]: row for row in site.json("setup check")}
    assert "1 saveset still to be removed from default" in rows["tombstones"]["message"]
    assert rows["unknown"]["state"] == "ok"
    site.backup(tmp_path / "source")
    assert names[1] not in stored(site)


def another_site(site: Site) -> None:
    marker = site.store() / ".sesam-store"
    marker.write_text(marker.read_text().replace('"site": "', '"site": "x'))


def test_nothing_is_deleted_in_a_store_of_another_site(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 2)
    expired(site, *names)
    another_site(site)
    done = site.sm("backup remove", names[1], "--format", "json", code=36)
    assert "another site" in done.error["message"]
    plan = site.json("newday run")["plan"]
    assert [row["reason"] for row in plan] == [
        'it lies on "default", which belongs to another site'
    ] * 2
    site.sm("setup check", "--repair", "--delete-unknown", code=3)
    assert stored(site) == set(names)
    assert listed(site) == names


def test_what_a_restore_reads_is_not_removed(site: Site, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(3000):
        (source / f"file{number}").write_bytes(b"x" * number)
    name = full(site, source)
    running = site.popen("restore start", name, "--target", tmp_path / "back")
    while not (tmp_path / "back").exists():
        assert running.poll() is None
    running.send_signal(signal.SIGSTOP)
    done = site.sm("backup remove", name, "--format", "json", code=75)
    assert "is being read by job" in done.error["message"]
    running.send_signal(signal.SIGCONT)
    running.communicate()
    site.sm("backup remove", name)


def test_many_removals_at_once_remove_each_saveset_once(
    site: Site, tmp_path: Path
) -> None:
    names = chain(site, tmp_path / "source", 3)
    running = [
        site.popen("backup remove", names[0], "--with-dependents", "--format", "json")
        for _ in range(6)
    ]
    ends = [(one.communicate(), one.returncode)[1] for one in running]
    assert set(ends) <= {0, 10}
    assert 0 in ends
    assert stored(site) == set()
    assert execute(site, "SELECT count(*), sum(done) FROM tombstone") == [(3, 3)]
    assert len(audited(site, "delete copy")) == 3
    site.sm("setup check")
