"""What becomes of directories on the way back, and what they give to others."""

import os
import stat
from pathlib import Path

from way import Way, obj

from sesam.client.acl import acl_binary
from sesam.client.objects import Existing, Outcome
from sesam.terms import Kind


def test_directories_have_their_times_and_modes_when_all_is_done(
    tmp_path: Path,
) -> None:
    way = Way(tmp_path)
    way.place(obj(b"d", Kind.DIRECTORY, mode=0o500, mtime_ns=77))
    way.place(obj(b"d/e", Kind.DIRECTORY, mode=0o1711, mtime_ns=78))
    way.place(obj(b"d/e/f"))
    way.place(obj(b"d/g"))
    way.end()
    for path, mode, ns in (("d", 0o500, 77), ("d/e", 0o1711, 78)):
        one = os.stat(way.target / path)
        assert (stat.S_IMODE(one.st_mode), one.st_mtime_ns) == (mode, ns)


def test_a_directory_that_was_there_stays_as_it_is_an_unfinished_one_does_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "target/before").mkdir(parents=True, mode=0o711)
    wanted = [
        obj(b"before", Kind.DIRECTORY, mode=0o751),
        obj(b"new", Kind.DIRECTORY, mode=0o751),
    ]
    first = Way(tmp_path, Existing.KEEP)
    for one in wanted:
        first.place(one)
    # Nothing is left in good order: as if the restore had been killed.
    assert stat.S_IMODE((tmp_path / "target/new").stat().st_mode) == 0o700
    again = Way(tmp_path, Existing.KEEP)
    outcomes = [again.place(one) for one in wanted]
    assert outcomes == [Outcome.SAME, Outcome.WRITTEN]
    again.end()
    found = {one.name: one.stat() for one in (tmp_path / "target").iterdir()}
    modes = {name: stat.S_IMODE(one.st_mode) for name, one in found.items()}
    assert modes == {"before": 0o711, "new": 0o751}
    assert found["new"].st_mtime_ns == wanted[1].mtime_ns


def test_what_a_default_acl_gives_is_taken_away_again(tmp_path: Path) -> None:
    way = Way(tmp_path)
    acl = acl_binary("user::rwx,user:1000:rwx,group::r-x,mask::rwx,other::---")
    os.setxattr(way.target, "system.posix_acl_default", acl)
    way.place(obj(b"dir", Kind.DIRECTORY, mode=0o750))
    way.place(obj(b"dir/file"))
    way.end()
    for path in (way.target / "dir", way.target / "dir/file"):
        assert os.listxattr(path) == [], path


def test_an_abandoned_restore_leaves_its_directories_to_the_next_one(
    tmp_path: Path,
) -> None:
    wanted = [
        obj(b"d", Kind.DIRECTORY, mode=0o555, mtime_ns=77),
        obj(b"d/e", Kind.DIRECTORY, mode=0o555, mtime_ns=78),
        obj(b"d/e/one"),
        obj(b"d/e/two"),
    ]
    first = Way(tmp_path, Existing.KEEP)
    for one in wanted[:3]:
        first.place(one)
    first.destination.abandon()
    for path in ("d", "d/e"):
        assert stat.S_IMODE(os.stat(first.target / path).st_mode) == 0o700
    again = Way(tmp_path, Existing.KEEP)
    for one in wanted:
        again.place(one)
    again.end()
    for one in wanted[:2]:
        found = os.stat(again.target / os.fsdecode(one.path))
        assert stat.S_IMODE(found.st_mode) == 0o555
        assert found.st_mtime_ns == one.mtime_ns
    assert sorted(os.listdir(again.target / "d")) == ["e"]
    assert sorted(os.listdir(again.target / "d/e")) == ["one", "two"]


def test_a_directory_that_is_gone_when_it_is_left_hits_nothing_else(
    tmp_path: Path,
) -> None:
    way = Way(tmp_path)
    deep = b"/".join([b"d"] * 70)
    for depth in range(70):
        way.place(obj(deep[: 2 * depth + 1], Kind.DIRECTORY, mode=0o711, mtime_ns=7))
    (way.target / "d/d/d").rename(tmp_path / "away")
    assert way.place(obj(b"z", mtime_ns=9)) is Outcome.WRITTEN
    way.end()
    assert any("cannot be finished" in why for _, why in way.reports)
    assert way.reports[0][0].startswith(b"d/d/d")
    for path in ("d", "d/d"):
        found = os.stat(way.target / path)
        assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o711, 7)


def test_a_group_that_a_directory_gives_is_taken_away_again(tmp_path: Path) -> None:
    way = Way(tmp_path)
    os.chown(way.target, -1, 12345)
    way.target.chmod(0o2755)
    way.place(obj(b"file"))
    way.place(obj(b"new", Kind.DIRECTORY))
    way.place(obj(b"new/file"))
    way.place(obj(b"new/fifo", Kind.FIFO))
    way.end()
    for one in way.target.rglob("*"):
        assert one.stat().st_gid == os.getegid(), one


def test_one_mark_tells_of_a_whole_tree_that_is_not_finished(tmp_path: Path) -> None:
    tree = [b"d", b"d/e", b"d/e/f", b"d/g"]
    wanted = [obj(path, Kind.DIRECTORY, mode=0o751, mtime_ns=7) for path in tree]
    first = Way(tmp_path, Existing.KEEP)
    for one in wanted[:3]:
        first.place(one)
    assert len(list(first.target.rglob(".sesam-part-*"))) == 1
    again = Way(tmp_path, Existing.KEEP)
    for one in wanted:
        again.place(one)
    again.end()
    assert list(again.target.rglob(".sesam-part-*")) == []
    for path in tree:
        found = os.stat(again.target / os.fsdecode(path))
        assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o751, 7)


def test_entries_out_of_order_are_looked_for_in_new_directories_too(
    tmp_path: Path,
) -> None:
    way = Way(tmp_path, Existing.OVERWRITE)
    for path in (b"d/b", b"d/c", b"d/b"):
        way.place(obj(b"d", Kind.DIRECTORY))
        assert way.place(obj(path), path + b"x") is Outcome.WRITTEN
    assert way.place(obj(b"d/b", Kind.DIRECTORY)) is Outcome.WRITTEN
    assert way.place(obj(b"d/b")) is Outcome.WRITTEN
    way.end()
    assert sorted(os.listdir(way.target / "d")) == ["b", "c"]
