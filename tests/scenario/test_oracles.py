"""Judges that know nothing of us: other backup programs, and other readers of tar."""

import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Site
from trees import differences, hostile_tree, small_tree, snapshot

Snapshot = dict[bytes, dict[str, Any]]


def changed(source: Path) -> None:
    """What a day brings: new, changed, moved, deleted, linked."""
    (source / "dir1/file1").write_bytes(b"changed")
    (source / "dir2").rename(source / "moved")
    shutil.rmtree(source / "dir3")
    os.link(source / "dir0/file0", source / "dir1/linked")
    (source / "dir4/file4").chmod(0o600)


def without_holes(one: Snapshot) -> Snapshot:
    """Others write holes as zeros, or where they find zeros."""
    return {
        path: {key: value for key, value in facts.items() if key != "extents"}
        for path, facts in one.items()
    }


def by_restic(source: Path, where: Path) -> Path:
    call = ["restic", "--quiet", "--repo", where / "restic"]
    env = {**os.environ, "RESTIC_PASSWORD": "x", "XDG_CACHE_HOME": str(where)}
    words = [["init"], ["backup", source], ["backup", source]]
    words.append(["restore", "latest", "--target", where / "by-restic"])
    for number, one in enumerate(words):
        if number == 2:
            changed(source)
        subprocess.run([*call, *one], env=env, check=True, capture_output=True)
    return where / "by-restic"


def by_borg(source: Path, where: Path) -> Path:
    env = {
        **os.environ,
        "BORG_BASE_DIR": str(where),
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
    }
    repository, target = where / "borg", where / "by-borg"
    target.mkdir()
    words = [
        ["init", "--encryption", "none", repository],
        ["create", f"{repository}::first", source],
        ["create", f"{repository}::second", source],
        ["extract", f"{repository}::second"],
    ]
    for number, one in enumerate(words):
        if number == 2:
            changed(source)
        subprocess.run(
            ["borg", *one], env=env, cwd=target, check=True, capture_output=True
        )
    return target


@pytest.mark.parametrize("judge", [by_restic, by_borg])
def test_another_program_brings_back_the_same_tree(
    site: Site, tmp_path: Path, judge: Any
) -> None:
    source = small_tree(tmp_path / "source")
    hostile = hostile_tree(source / "hostile")
    # Deeper than their paths may be; a target that is no UTF-8; a time before 1970.
    shutil.rmtree(hostile / "deep")
    (hostile / "dangling").unlink()
    os.utime(hostile / "=%=%", ns=(7, 7))
    twin = tmp_path / "twin" / str(source).lstrip("/")
    twin.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", source, twin], check=True)
    site.backup(twin)
    where = tmp_path / "judge"
    where.mkdir()
    # Both have a first copy, then a day passes, then both have what it brought.
    theirs = judge(twin, where)
    time.sleep(0.12)
    assert site.json("backup start", "tree")["level"] == "INCR"
    site.sm("restore start", "--task", "tree", "--target", tmp_path / "ours")
    ours = snapshot(tmp_path / "ours" / str(twin).lstrip("/"))
    back = snapshot(theirs / str(twin).lstrip("/"))
    assert differences(without_holes(ours), without_holes(back)) == []


@pytest.fixture
def tar(site: Site, tmp_path: Path) -> tuple[Path, Path]:
    """A tree, and the tar of its saveset."""
    source = small_tree(tmp_path / "source")
    hostile = hostile_tree(source / "hostile")
    shutil.rmtree(hostile / "deep")
    saveset = site.backup(source, "tree", "--segment-size", "1M")["saveset"]
    path = tmp_path / "saveset.tar"
    with open(path, "wb") as file:
        subprocess.run(
            f"cat {site.store() / saveset}/data-* | zstd -dc",
            shell=True,
            stdout=file,
            check=True,
        )
    return source, path


@pytest.mark.parametrize("program", ["bsdtar", "busybox tar"])
def test_another_tar_reads_a_saveset_without_a_message(
    tar: tuple[Path, Path], tmp_path: Path, program: str
) -> None:
    source, path = tar
    target = tmp_path / "back"
    target.mkdir()
    words = [*program.split(), "-xpf", path, "-C", target]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    ours, theirs = snapshot(source), snapshot(target / str(source).lstrip("/"))
    for path_, facts in ours.items():
        if "content" in facts and b"sparse" not in path_ and b"hole" not in path_:
            assert theirs[path_]["content"] == facts["content"], path_


def test_pythons_tarfile_lists_a_saveset(tar: tuple[Path, Path]) -> None:
    source, path = tar
    with tarfile.open(path, errorlevel=2) as opened:
        names = {os.fsencode(one.name) for one in opened}
    top = os.fsencode(source).lstrip(b"/")
    want = {os.path.join(top, name).rstrip(b"/") for name in snapshot(source)}
    assert {name.rstrip(b"/") for name in names} == want
