import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chains import full
from conftest import BIN, Site
from sshd import Sshd
from trees import differences, hostile_tree, small_tree, snapshot

from sesam.catalog import jobs, saveset_claims


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    one = Sshd(tmp_path / "sshd")
    yield one
    one.close()


@pytest.fixture
def remote(site: Site, sshd: Sshd) -> Site:
    """A site with a client `far` behind ssh."""
    (site.root / "etc/ssh_config").write_text(sshd.config)
    site.sm("client add", "far", "--ssh", "rds", "--program", BIN)
    return site


def random_tree(top: Path, size: int) -> Path:
    top.mkdir()
    rng = random.Random(3)
    with open(top / "random", "wb") as file:
        for _ in range(0, size, 8 << 20):
            file.write(rng.randbytes(8 << 20))
    return small_tree(top, files=10)


def test_a_source_behind_ssh_is_backed_up_and_restored(
    remote: Site, tmp_path: Path
) -> None:
    source = hostile_tree(tmp_path / "source")
    result = remote.backup(source, "tree", "--client", "far")
    assert result["state"] == "ok"
    assert remote.json("backup list")[0]["client"] == "far"
    remote.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_the_same_bytes_come_by_ssh_and_from_here(remote: Site, tmp_path: Path) -> None:
    source = small_tree(tmp_path / "source")
    here = remote.backup(source, "here")["saveset"]
    there = remote.backup(source, "there", "--client", "far")["saveset"]
    name = "data-0001.tar.zst"
    store = remote.store()
    assert (store / here / name).read_bytes() == (store / there / name).read_bytes()


def test_with_the_mover_behind_ssh_no_data_passes_the_server(
    remote: Site, sshd: Sshd, tmp_path: Path
) -> None:
    source = random_tree(tmp_path / "source", 40 << 20)
    remote.sm("media group add", "FAR")
    far = tmp_path / "far store"
    remote.sm("media store add", "far", "--path", far, "--group", "FAR", "--rds", "far")
    remote.sm("media pool add", "FARPOOL", "--group", "FAR")
    before = sshd.relay.bytes
    result = remote.backup(source, "tree", "--client", "far", "--pool", "FARPOOL")
    passed = sshd.relay.bytes - before
    assert result["state"] == "ok"
    assert result["stored_bytes"] > 40 << 20
    assert passed < 200_000
    assert sorted(os.listdir(far / result["saveset"])) == [
        "data-0001.tar.zst", "listing.zst", "manifest.json",
    ]  # fmt: skip
    assert remote.json("backup verify", "--all")[0]["state"] == "ok"
    remote.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []
    parts = remote.json("backup show", result["saveset"])["parts"]
    assert parts[0]["location"].startswith(f"far:{far}")


def test_a_connection_that_breaks_leaves_nothing_and_the_next_backup_works(
    remote: Site, sshd: Sshd, tmp_path: Path
) -> None:
    source = random_tree(tmp_path / "source", 400 << 20)
    remote.sm("task add", "tree", "--source", source, "--client", "far")
    running = remote.popen("backup start", "tree", "--format", "json")
    while sshd.relay.bytes < 20 << 20:
        time.sleep(0.01)
    sshd.relay.cut()
    _, err = running.communicate(timeout=60)
    assert running.returncode in (54, 55), err
    assert remote.json("backup list") == []
    assert os.listdir(remote.store()) == [".sesam-store"]
    assert remote.json("job list")[0]["state"] == "error"
    (source / "random").unlink()
    assert remote.backup(source, "tree")["state"] == "ok"


@pytest.fixture
def far(remote: Site, tmp_path: Path) -> Path:
    """A data store behind ssh, of the pool FARPOOL."""
    far = tmp_path / "far"
    remote.sm("media group add", "FAR")
    remote.sm("media store add", "far", "--path", far, "--group", "FAR", "--rds", "far")
    remote.sm("media pool add", "FARPOOL", "--group", "FAR")
    return far


def claims(site: Site, *options: str, code: int = 0) -> list[str]:
    rows = site.json("setup check", *options, code=code)
    return [row["message"] for row in rows if row["check"] == "claims"]


def test_a_mover_whose_server_is_killed_stops_and_keeps_nothing(
    remote: Site, far: Path, tmp_path: Path
) -> None:
    source = random_tree(tmp_path / "source", 800 << 20)
    remote.sm(
        "task add", "tree", "--source", source, "--client", "far", "--pool", "FARPOOL"
    )
    running = remote.popen("backup start", "tree")
    while not _bytes_below(far):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    until = time.monotonic() + 30
    while os.listdir(far) != [".sesam-store"] and time.monotonic() < until:
        time.sleep(0.1)
    assert os.listdir(far) == [".sesam-store"]
    assert claims(remote, "--repair") == [""]


def forgotten(site: Site, inside: Any, result: dict[str, Any]) -> None:
    """Take a saveset from the catalog, as if its job had been killed before commit."""
    with sqlite3.connect(site.root / "var/db/sesam.db") as catalog:
        for table in ("piece", "copy", "saveset"):
            catalog.execute(f"DELETE FROM {table}")
    job = jobs.get_job(result["job"])
    with inside.catalog.change():
        saveset_claims.claim_saveset(result["saveset"], job, ("far",), inside.clock())


def test_what_was_left_behind_ssh_is_settled_there(
    remote: Site, sshd: Sshd, far: Path, inside: Any, tmp_path: Path
) -> None:
    source = random_tree(tmp_path / "source", 24 << 20)
    options = "--client", "far", "--pool", "FARPOOL"
    result = remote.backup(source, "tree", *options)
    forgotten(remote, inside, result)
    assert "unfinished in far" in claims(remote, code=3)[0]
    assert remote.json("backup list") == []
    before = sshd.relay.bytes
    assert claims(remote, "--repair") == [""]
    assert sshd.relay.bytes - before < 200_000
    assert [row["saveset"] for row in remote.json("backup list")] == [result["saveset"]]
    assert remote.json("backup verify", "--all")[0]["state"] == "ok"
    forgotten(remote, inside, result)
    (far / result["saveset"] / "manifest.json").unlink()
    assert claims(remote, "--repair") == [""]
    assert os.listdir(far) == [".sesam-store"]


def test_what_was_left_where_nobody_answers_waits_and_says_so(
    remote: Site, sshd: Sshd, far: Path, inside: Any, tmp_path: Path
) -> None:
    source = small_tree(tmp_path / "source", files=3)
    result = remote.backup(source, "tree", "--client", "far", "--pool", "FARPOOL")
    forgotten(remote, inside, result)
    remote.sm("client modify", "far", "--program", "/no/such/dir")
    rows = remote.json("setup check", "--repair", code=3)
    (why,) = [
        row["message"]
        for row in rows
        if row["check"] == "repair" and row["state"] == "warning"
    ]
    assert f"{result['saveset']} cannot be settled" in why
    assert (far / result["saveset"]).exists()
    remote.sm("client modify", "far", "--program", BIN)
    assert claims(remote, "--repair") == [""]
    assert len(remote.json("backup list")) == 1


def _bytes_below(top: Path) -> int:
    return sum(one.stat().st_size for one in top.glob("*/data*"))


def test_a_client_that_ssh_cannot_reach_is_named(remote: Site, tmp_path: Path) -> None:
    remote.sm("client add", "gone", "--ssh", "nobody@127.0.0.1")
    remote.sm("task add", "tree", "--source", "/etc", "--client", "gone")
    done = remote.sm("backup start", "tree", "--format", "json", code=55)
    assert "nobody@127.0.0.1" in done.error["message"]
    assert remote.json("backup list") == []


def test_a_client_without_the_program_is_told_apart(
    remote: Site, tmp_path: Path
) -> None:
    remote.sm("client modify", "far", "--program", "/no/such/dir")
    remote.sm("task add", "tree", "--source", "/etc", "--client", "far")
    done = remote.sm("backup start", "tree", "--format", "json", code=55)
    assert "/no/such/dir" in done.error["message"]


def test_a_source_that_cannot_be_read_over_there_is_named(
    remote: Site, tmp_path: Path
) -> None:
    remote.sm("task add", "tree", "--source", "/no/such", "--client", "far")
    done = remote.sm("backup start", "tree", "--format", "json", code=51)
    assert '"/no/such"' in done.error["message"]


def test_a_destination_is_never_taken_for_an_option(site: Site) -> None:
    done = site.sm("client add", "x", "--ssh=-oProxyCommand=id", code=2)
    assert "destination" in done.err


def test_a_saveset_in_a_store_over_there_is_removed_there(
    remote: Site, sshd: Sshd, tmp_path: Path
) -> None:
    source = small_tree(tmp_path / "source", files=3)
    remote.sm("media group add", "FAR")
    far = tmp_path / "far"
    remote.sm("media store add", "far", "--path", far, "--group", "FAR", "--rds", "far")
    remote.sm("media pool add", "FARPOOL", "--group", "FAR")
    options = ("--client", "far", "--pool", "FARPOOL")
    names = [full(remote, source, "tree", *options) for _ in range(3)]
    (row,) = remote.json("backup remove", names[0])
    assert (row["media"], row["state"]) == (["far"], "removed")
    assert set(os.listdir(far)) == {".sesam-store", *names[1:]}
    # While it cannot be reached the tombstone waits, and newday goes on with it.
    (remote.root / "etc/ssh_config").write_text(
        "Host rds\n HostName 127.0.0.1\n Port 1\n"
    )
    (row,) = remote.json("backup remove", names[1], code=3)
    assert row["state"] == "waiting"
    (remote.root / "etc/ssh_config").write_text(sshd.config)
    remote.sm("newday run")
    assert set(os.listdir(far)) == {".sesam-store", names[2]}
    remote.sm("setup check")


def test_what_is_no_saveset_is_removed_from_no_store(
    remote: Site, other_site: Site, tmp_path: Path
) -> None:
    words = ("sms", "--store", other_site.store(), "--site-id", "x")
    remote.sm(*words, "--remove", "SF20270328010000000@AAAAAAAAAAA", code=36)
    marker = (other_site.store() / ".sesam-store").read_text()
    site_id = marker.split('"site": "')[1].split('"')[0]
    words = ("sms", "--store", other_site.store(), "--site-id", site_id)
    remote.sm(*words, "--remove", "../site", code=2)
    remote.sm(*words, "--remove", "SF20270328010000000@AAAAAAAAAAA")
