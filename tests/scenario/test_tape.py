import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from chains import full
from conftest import Site
from tapelib import TapeLibrary
from trees import differences, snapshot

from sesam.catalog.tables import JobRow
from sesam.errors import Busy
from sesam.service import backup
from sesam.service.asking import Request
from sesam.terms import Level

BLOCK = 64 << 10


def big_tree(top: Path, mib: int) -> Path:
    top.mkdir()
    rng = random.Random(5)
    for number in range(mib):
        (top / f"file{number:02d}").write_bytes(rng.randbytes(1 << 20))
    return top


def test_a_saveset_spans_two_tapes_and_comes_back(
    taped: Site, library: TapeLibrary, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 9)
    result = taped.backup(source, "tree", "--pool", "LTO", "--segment-size", "2M")
    assert result["state"] == "ok"
    assert result["media"] == ["LTO00001", "LTO00002"]
    assert taped.json("backup verify", "--all")[0]["errors"] == []
    taped.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_the_backing_files_alone_give_the_tree_back_by_zstd_and_tar(
    taped: Site, library: TapeLibrary, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 9)
    result = taped.backup(source, "tree", "--pool", "LTO", "--segment-size", "2M")
    parts = [b""]
    for number, label in enumerate(result["media"], 1):
        label_file, header_file, *pieces = library.tape_files(f"T{number}L8")
        assert json.loads(label_file[0])["label"] == label
        header = json.loads(header_file[0])
        assert header["saveset"] == result["saveset"]
        assert header["tape_file"] == 2
        assert [len(label_file), len(header_file)] == [1, 1]
        for blocks in pieces:
            assert all(len(block) == BLOCK for block in blocks[:-1])
            parts[-1] += b"".join(blocks)
            # The magic number of a seek table ends a part; it goes on until then.
            if parts[-1].endswith(b"\xb1\xea\x92\x8f"):
                parts.append(b"")
    *stored, manifest = parts
    facts = json.loads(manifest[: manifest.rindex(b"}") + 1])
    assert [one["bytes"] for one in facts["parts"]] == [len(one) for one in stored]
    data = b"".join(
        one
        for one, part in zip(stored, facts["parts"], strict=True)
        if part["name"].startswith("data-")
    )
    target = tmp_path / "plain"
    target.mkdir()
    subprocess.run(
        ["sh", "-c", f"zstd -dc | tar x -C {target}"], input=data, check=True
    )
    back = target / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_savesets_follow_each_other_on_one_tape(taped: Site, tmp_path: Path) -> None:
    source = big_tree(tmp_path / "source", 1)
    first = taped.backup(source, "tree", "--pool", "LTO")
    (source / "file00").write_bytes(b"changed")
    second = taped.backup(source, "tree")
    assert first["media"] == second["media"] == ["LTO00001"]
    shown = [
        [
            part["location"]
            for part in taped.json("backup show", one["saveset"])["parts"]
        ]
        for one in (first, second)
    ]
    assert shown == [
        ["LTO00001:4", "LTO00001:2", "LTO00001:3"],
        ["LTO00001:8", "LTO00001:6", "LTO00001:7"],
    ]
    assert [row["state"] for row in taped.json("backup verify", "--all")] == [
        "ok",
        "ok",
    ]
    medium = taped.json("media list")[0]
    assert medium["savesets"] == 2
    taped.sm("restore start", first["saveset"], "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/") / "file00"
    assert os.path.getsize(back) == 1 << 20


def test_a_worker_that_lost_its_job_leaves_its_place_on_the_tape_to_the_next_one(
    taped: Site, inside: Any, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 1)
    taped.backup(source, "tree", "--pool", "LTO")

    def lose(files: int, size: int) -> None:
        with inside.catalog.change():
            lost = JobRow.update(state="error", ended_at=inside.clock())
            lost.where(JobRow.state == "active").execute()

    with pytest.raises(Busy, match="was taken from this worker"):
        backup.start(inside, Request("tree", Level.FULL), backup.Run(lose))
    assert taped.json("media list")[0]["savesets"] == 1
    name = full(taped, source)
    places = [one["location"] for one in taped.json("backup show", name)["parts"]]
    assert min(places) == "LTO00001:6"
    assert taped.json("backup verify", "--all")[1]["errors"] == []


def test_when_the_pool_has_no_tape_left_nothing_counts_and_the_next_one_works(
    taped: Site, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 24)
    taped.sm("task add", "tree", "--source", source, "--pool", "LTO")
    done = taped.sm("backup start", "tree", "--format", "json", code=31)
    assert 'pool "LTO" has no medium left' in done.error["message"]
    assert taped.json("backup list") == []
    for number in range(3, 24):
        (source / f"file{number:02d}").unlink()
    assert taped.backup(source)["media"] == ["LTO00001"]
    assert taped.json("backup verify", "--all")[0]["state"] == "ok"


def test_a_labelled_tape_is_not_labelled_again_by_chance(
    taped: Site, tmp_path: Path
) -> None:
    words = ("--pool", "LTO", "--loader", "lib", "--slot", 1, "--format", "json")
    assert "LTO00001" in taped.sm("media init", *words, code=11).error["message"]
    taped.backup(big_tree(tmp_path / "source", 1), "tree", "--pool", "LTO")
    done = taped.sm("media init", *words, "--force", code=12)
    assert "1 savesets" in done.error["message"]


def test_a_tape_of_another_site_is_refused(
    taped: Site, other_site: Site, library: TapeLibrary
) -> None:
    other_site.sm("media group add", "G")
    other_site.sm("media loader add", "lib", "--device", library.changer)
    other_site.sm(
        "media drive add", "d", "--device", library.url(1), "--loader", "lib",
        "--position", 0, "--group", "G",
    )  # fmt: skip
    other_site.sm("media pool add", "P", "--group", "G")
    done = other_site.sm(
        "media init", "--pool", "P", "--loader", "lib", "--slot", 1, "--force",
        "--format", "json", code=36,
    )  # fmt: skip
    assert "another site" in done.error["message"]


def test_a_library_that_dies_ends_the_backup_within_seconds(
    taped: Site, library: TapeLibrary, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 14)
    taped.sm("task add", "tree", "--source", source, "--pool", "LTO")
    running = taped.popen("backup start", "tree", "--format", "json")
    while (library.top / "T1L8").stat().st_size < 1 << 20:
        assert running.poll() is None
    library.kill()
    _, err = running.communicate(timeout=30)
    assert running.returncode == 37, err
    assert taped.json("backup list") == []
    assert taped.json("job list")[0]["state"] == "error"


def test_the_catalog_forgets_what_is_on_tape_and_the_tape_is_not_touched(
    taped: Site, library: TapeLibrary, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 1)
    names = [full(taped, source, "tree", "--pool", "LTO") for _ in range(2)]
    before = library.tape_files("T1L8")
    taped.sm("backup expire", names[0], "--eol", "2020-01-01")
    done = taped.json("newday run")
    (row,) = done["plan"]
    assert (row["saveset"], row["state"]) == (names[0], "forgotten")
    assert done["freed_bytes"] == 0
    assert library.tape_files("T1L8") == before
    assert taped.json("media list")[0]["savesets"] == 1
    assert taped.json("backup verify", names[1])[0]["state"] == "ok"


def test_a_tape_is_needed_as_long_as_what_builds_on_it(
    taped: Site, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 1)
    base = full(taped, source, "tree", "--pool", "LTO")
    link = taped.json("backup start", "tree")["saveset"]
    taped.sm("backup expire", base, "--eol", "2026-01-01")
    taped.sm("backup expire", link, "--eol", "2099-12-31")
    (medium,) = [one for one in taped.json("media list") if one["savesets"]]
    assert medium["eol"] == "2099-12-31"
    taped.sm("backup lock", link)
    (medium,) = [one for one in taped.json("media list") if one["savesets"]]
    assert medium["eol"] == taped.json("backup show", base)["eol"]


def test_a_long_listing_on_tape_is_read_beside_the_data(
    taped: Site, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    rng = random.Random(9)
    for _ in range(12_000):
        (source / rng.randbytes(100).hex()).touch()
    result = taped.backup(source, "tree", "--pool", "LTO")
    assert taped.json("backup verify", "--all")[0]["errors"] == []
    for copy in (taped.root / "var/lis").iterdir():
        copy.unlink()
    # Where the server's copy cannot be written the stored listing itself is read.
    os.rmdir(taped.root / "var/lis")
    (taped.root / "var/lis").touch()
    taped.sm("restore start", result["saveset"], "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert sorted(os.listdir(back)) == sorted(os.listdir(source))


def test_a_chain_on_several_tapes_is_restored_side_by_side(
    taped: Site, tmp_path: Path
) -> None:
    source = big_tree(tmp_path / "source", 7)
    taped.backup(source, "tree", "--pool", "LTO", "--segment-size", "2M")
    for number in range(1, 7, 2):
        (source / f"file{number:02d}").write_bytes(b"changed" * number)
    result = taped.backup(source, "tree")
    assert result["level"] == "INCR"
    taped.sm("restore start", "--task", "tree", "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []
