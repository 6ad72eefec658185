"""Hard links of a tree that changes, and of very many."""

import os
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sink import Sink

from sesam.service.sending.links import LinkTable
from sesam.service.sending.linkspool import LinkSpool
from sesam.service.sending.source import Source
from sesam.service.sending.sourcejob import SourceJob


def saved_while(source: Path, work: Callable[[], object]) -> Sink:
    """Save a tree; `work` is done once, when its first bytes come out."""
    todo = [work]
    sink = Sink(lambda: todo.pop()() if todo else None)
    Source(SourceJob((os.fsencode(source),), segment_bytes=1 << 20), sink).run()
    assert not todo
    return sink


def a_first_and_much_behind_it(top: Path) -> Path:
    """`a` comes before two large files, so that it is saved before data comes out."""
    top.mkdir()
    (top / "a").write_bytes(b"old content")
    for name in ("b", "c"):
        (top / name).write_bytes(random.Random(5).randbytes(12 << 20))
    return top


def test_a_file_that_is_rewritten_between_its_names_is_saved_twice(
    tmp_path: Path,
) -> None:
    source = a_first_and_much_behind_it(tmp_path / "s")
    for name in ("y", "z"):
        os.link(source / "a", source / name)
    sink = saved_while(source, lambda: (source / "a").write_bytes(b"newer"))
    lines = {os.path.basename(path): line for path, line in sink.lines().items()}
    assert sink.warnings == [
        (os.fsencode(source / "y"), "changed while it was read under another name")
    ]
    assert (lines[b"a"].flags, lines[b"a"].size) == ("mh", 11)
    # Their content is not that of `a`: no restore may tie them to it.
    assert [(lines[one].flags, lines[one].size) for one in (b"y", b"z")] == [
        ("m", 5),
        ("m", 5),
    ]
    assert lines[b"y"].digest == lines[b"z"].digest != lines[b"a"].digest
    sink.unpack(tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert (back / "a").read_bytes() == b"old content"
    assert (back / "z").read_bytes() == (back / "y").read_bytes() == b"newer"


def test_an_object_with_the_inode_of_one_that_is_gone_keeps_its_own_content(
    tmp_path: Path,
) -> None:
    source = a_first_and_much_behind_it(tmp_path / "s")
    (source / "zd").mkdir()
    os.link(source / "a", tmp_path / "outside")

    def replace() -> None:
        (source / "a").unlink()
        (tmp_path / "outside").unlink()
        for number in range(50):  # one of them gets the inode, on most file systems
            one = source / f"zd/z{number}"
            one.write_bytes(b"another object %d" % number)
            os.link(one, tmp_path / f"outside{number}")

    sink = saved_while(source, replace)
    sink.unpack(tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    for number in range(50):
        assert (back / f"zd/z{number}").read_bytes() == b"another object %d" % number
    inode = sink.lines()[os.fsencode(source / "a")].inode
    for path, line in sink.lines().items():
        if line.inode == inode and not path.endswith(b"/a"):
            assert line.flags == "m"


def test_names_of_an_unchanged_object_stay_links(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    (source / "a").write_bytes(b"shared")
    os.link(source / "a", source / "z")
    sink = Sink()
    Source(SourceJob((os.fsencode(source),)), sink).run()
    first, second = (sink.lines()[os.fsencode(source / name)] for name in "az")
    assert "h" in first.flags
    assert second.flags == "h"
    assert (first.digest, first.offset) == (second.digest, second.offset)


def stat_of(inode: int, names: int = 2, **more: int) -> Any:
    facts = {"st_size": 5, "st_ctime_ns": 7, "st_mtime_ns": 6, **more}
    return SimpleNamespace(st_dev=1, st_ino=inode, st_nlink=names, **facts)


def test_a_spooled_table_knows_what_a_dict_knows() -> None:
    rng, known = random.Random(3), {}
    spool = LinkSpool(slots=8)
    for _ in range(20_000):
        key = rng.randrange(3), rng.randrange(900)
        if key not in known:
            assert spool.meet(*key) is None
            left = rng.randrange(1, 4)
            name = rng.randbytes(rng.choice((3, 80, 5000)))
            known[key] = [left, -3, 4, 5, 1, 1 << 40, b"d" * 32, name]
            spool.add(*key, *known[key])
        elif rng.random() < 0.3:
            spool.forget(*key)
            del known[key]
        else:
            assert spool.meet(*key) == tuple(known[key])
            known[key][0] -= 1
            if not known[key][0]:
                del known[key]
    spool.close()


def test_very_many_open_groups_take_little_memory() -> None:
    table = LinkTable()
    tracemalloc.start()
    for inode in range(60_000):
        name = b"some/directory/with/a/long/name/file%d" % inode
        table.remember(stat_of(inode), name, (b".", 1, inode), b"d" * 32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20
    for inode in range(0, 60_000, 7):
        group = table.meet(stat_of(inode))
        assert group is not None
        assert (group.place, group.ctime) == ((b".", 1, inode), 7)
        assert group.name.endswith(b"/file%d" % inode)
        assert table.meet(stat_of(inode)) is None
    table.close()
