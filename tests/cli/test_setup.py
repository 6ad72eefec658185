"""Making a site: anywhere, private, and nothing of what was there before is lost."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from conftest import Site

from sesam.catalog.migrations import NEWEST, STEPS
from sesam.catalog.schema import WORDS


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["a#b", "a?x=1", "50%41", "two\nlines", "a b\t"])
def test_a_root_of_any_name_holds_its_own_catalog(tmp_path: Path, name: str) -> None:
    site = Site(tmp_path / name)
    assert site.json("setup init", "--zone", "UTC")["root"] == str(tmp_path / name)
    assert (tmp_path / name / "var/db/sesam.db").stat().st_size > 4096
    assert [one.name for one in tmp_path.iterdir()] == [name]
    site.sm("setup check")


def test_a_root_that_is_no_text_is_refused(tmp_path: Path) -> None:
    root = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    done = Site(Path(root)).sm("setup init", "--format", "json", code=2)
    assert "UTF-8" in done.error["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--newday", "25:00"), ("--newday", "8")])
def test_a_newday_that_is_none_is_refused(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    Site(tmp_path / "site").sm("setup init", *words, code=2)
    assert list(tmp_path.iterdir()) == []


def test_a_newday_with_one_digit_is_a_time(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC", "--newday", "8:00")
    (tmp_path / "s").mkdir()
    assert site.backup(tmp_path / "s")["state"] == "ok"


def test_directories_that_were_there_are_closed_to_others(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    for path in (site.root, tmp_path / "store"):
        path.mkdir()
        path.chmod(0o777)
    site.sm("setup init", "--zone", "UTC", "--store", tmp_path / "store")
    assert mode(site.root) == mode(tmp_path / "store") == 0o700
    site.sm("setup check")


def test_a_root_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.root.mkdir()
    site.root.chmod(0o755)
    (site.root / "theirs").touch()
    site.sm("setup init", "--zone", "UTC")
    assert mode(site.root) == 0o755
    site.sm("setup check", code=3)


def test_check_sees_whatever_is_open_to_others(site: Site) -> None:
    site.sm("setup key add", "k")
    opened = {
        site.root / "var/db/sesam.db": 0o644,
        site.root / "etc/keys/k.txt": 0o640,
        site.root / "var": 0o755,
        site.store(): 0o711,
    }
    for path, bits in opened.items():
        path.chmod(bits)
    rows = site.json("setup check", code=3)
    said = [one["message"] for one in rows if one["check"] == "rights"]
    for path in opened:
        assert any(f'"{path}"' in one for one in said)
    assert not any("etc/keys/k.pub" in one for one in said)


def test_init_looks_at_the_store_before_it_writes(
    tmp_path: Path, other_site: Site
) -> None:
    site = Site(tmp_path / "site")
    for store, code in ((other_site.store(), 36), (other_site.root, 11)):
        site.sm("setup init", "--zone", "UTC", "--store", store, code=code)
        assert not site.root.exists()


def test_init_leaves_the_schema_of_a_site_as_it_is(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    (site.root / "var/db").mkdir(parents=True)
    path = site.root / "var/db/sesam.db"
    with sqlite3.connect(path) as db:
        for statement in STEPS[0]:
            db.execute(statement.format(**WORDS[True]))
        db.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        db.execute("INSERT INTO schema_version VALUES (1)")
        db.execute("INSERT INTO site VALUES ('zone', 'UTC')")
    db.close()
    site.sm("setup init", "--zone", "UTC", code=11)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT version FROM schema_version").fetchone() == (1,)
        db.execute("DELETE FROM site")
    db.close()
    site.sm("setup init", "--zone", "UTC")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT version FROM schema_version").fetchone() == (NEWEST,)
    db.close()
    assert (path.parent / "before-schema-2.db").exists()


def test_a_secret_is_never_written_over(site: Site) -> None:
    keys = site.root / "etc/keys"
    for suffix in (".txt", ".age", ".pub"):
        (keys / f"old{suffix}").write_text("precious")
        site.sm("setup key add", "old", code=11)
        assert (keys / f"old{suffix}").read_text() == "precious"
        (keys / f"old{suffix}").unlink()


def test_keys_that_are_gone_or_broken_are_said(site: Site, tmp_path: Path) -> None:
    keys = site.root / "etc/keys"
    keys.rmdir()
    recipient = site.json("setup key add", "good")["recipient"]
    (keys / "dangling.pub").symlink_to("nowhere")
    (keys / "noise.pub").write_bytes(bytes(range(256)))
    (keys / "alone.pub").write_text(recipient)
    assert len(site.json("setup key list")) == 4
    rows = site.json("setup check", code=3)
    assert len([one for one in rows if one["check"] == "keys"]) == 3
    (tmp_path / "s").mkdir()
    assert site.backup(tmp_path / "s", "t", "--recipient", recipient)["state"] == "ok"


@pytest.mark.parametrize(
    "now", ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "soon"]
)
def test_a_rehearsal_beyond_the_calendar_is_refused(site: Site, now: str) -> None:
    later = Site(site.root, {"SESAM_NOW": now})
    assert "SESAM_NOW" in later.sm("backup list", "--format", "json", code=2).err
