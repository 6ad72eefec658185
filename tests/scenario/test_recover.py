"""The server is lost: one store and one command bring the whole site back."""

import shutil
from pathlib import Path

import pytest
from conftest import Site
from postgres import Postgres
from trees import differences, small_tree, snapshot


def blank(site: Site, root: Path, **env: str) -> Site:
    """Another machine, on which nothing is."""
    return Site(root, {**site.env, **env})


@pytest.fixture
def lost(site: Site, tmp_path: Path) -> tuple[Path, Path]:
    """A store and the tree that was in it; the server is gone."""
    source = small_tree(tmp_path / "source")
    site.sm("client add", "web", "--ssh", "root@web")
    site.backup(source)
    site.sm("backup start", "SESAM_BACKUP")
    (source / "dir0/file0").write_bytes(b"later")
    site.sm("backup start", "tree")
    site.sm("backup start", "SESAM_BACKUP")
    (source / "dir0/file5").write_bytes(b"later still")
    site.sm("backup start", "tree")
    store = tmp_path / "disk"
    site.store().rename(store)
    shutil.rmtree(site.root)
    return store, source


def test_a_blank_machine_knows_every_saveset_again(
    site: Site, lost: tuple[Path, Path], tmp_path: Path
) -> None:
    store, source = lost
    new = blank(site, tmp_path / "new")
    found = new.json("setup recover", "--store", store)
    assert (found["savesets"], found["added"]) == (5, 2)
    levels = [one["level"] for one in new.json("backup list")]
    assert sorted(levels) == ["FULL", "FULL", "INCR", "INCR", "INCR"]
    assert {one["name"] for one in new.json("client list")} >= {"web"}
    assert all(one["state"] == "ok" for one in new.json("backup verify", "--all"))
    new.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []
    # Its life goes on where it was.
    assert new.json("backup start", "tree")["level"] == "INCR"
    new.sm("setup recover", "--store", store, code=11)


def test_an_encrypted_site_needs_its_identity(site: Site, tmp_path: Path) -> None:
    word = {"input": b"open sesam\n"}
    made = site.sm(
        "setup key add", "office", "--passphrase", "--format", "json", **word
    ).json
    site.sm("task modify", "SESAM_BACKUP", "--recipient", made["recipient"])
    site.sm("backup start", "SESAM_BACKUP")
    store = tmp_path / "disk"
    site.store().rename(store)
    new = blank(site, tmp_path / "new")
    new.sm("setup recover", "--store", store, code=43)
    assert not (tmp_path / "new").exists()
    key = store / ".sesam-key-office.age"
    new.sm("setup recover", "--store", store, "--identity", key, **word)
    assert new.json("setup key list")[0]["name"] == "office"


def test_what_is_no_store_or_holds_no_backup_of_the_site_is_said(
    site: Site, tmp_path: Path
) -> None:
    new = blank(site, tmp_path / "new")
    new.sm("setup recover", "--store", tmp_path, code=34)
    done = new.sm("setup recover", "--store", site.store(), code=10)
    assert "SESAM_BACKUP" in done.err
    assert not (tmp_path / "new").exists()


def test_a_catalog_on_a_server_comes_back_too(
    tmp_path: Path, postgres: Postgres
) -> None:
    site = Site(tmp_path / "site", {"SESAM_DATABASE_URL": postgres.database()})
    site.sm("setup init", "--zone", "UTC")
    site.backup(small_tree(tmp_path / "source"))
    site.sm("backup start", "SESAM_BACKUP")
    new = blank(site, tmp_path / "new", SESAM_DATABASE_URL=postgres.database())
    found = new.json("setup recover", "--store", site.store())
    assert (found["savesets"], found["added"]) == (2, 1)
    assert new.json("backup verify", "--all")[0]["state"] == "ok"
