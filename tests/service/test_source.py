"""Trees that change while they are read: nothing breaks, everything is reported."""

import os
import random
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sink import Sink
from trees import small_tree

from sesam.errors import SourceUnreadable
from sesam.saveset.parts import ListingWriter, PartStream, SegmentWriter
from sesam.service.sending.objects import ObjectWriter
from sesam.service.sending.pen import Pen
from sesam.service.sending.source import Source
from sesam.service.sending.sourcejob import SourceJob, decode, encode


def run(source: Path, sink: Sink | None = None, **more: Any) -> Sink:
    sink = sink or Sink()
    job = SourceJob((os.fsencode(source),), **more)
    Source(job, sink).run()
    return sink


def big_file(path: Path, mib: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(2).randbytes(mib << 20))
    return path


def once(work: Callable[[], object]) -> Callable[[], None]:
    done: list[object] = []

    def first() -> None:
        if not done:
            done.append(1)
            work()

    return first


def test_a_file_that_shrinks_is_filled_with_zeros_and_the_tar_stays_whole(
    tmp_path: Path,
) -> None:
    path = big_file(tmp_path / "s/big", 24)
    small_tree(tmp_path / "s/z")
    sink = run(tmp_path / "s", Sink(once(lambda: os.truncate(path, 9 << 20))))
    ((where, why),) = sink.warnings
    assert where == os.fsencode(path)
    assert "zeros stand for" in why
    assert sink.totals["state"] == "warning"
    assert sink.lines()[where].flags == "m"
    sink.unpack(tmp_path / "back")
    back = tmp_path / "back" / str(path).lstrip("/")
    assert back.stat().st_size == 24 << 20
    assert (back.parent / "z/dir1/file1").exists()


def test_a_file_that_grows_or_changes_is_marked(tmp_path: Path) -> None:
    path = big_file(tmp_path / "s/big", 24)

    def grow() -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    sink = run(tmp_path / "s", Sink(once(grow)))
    assert sink.warnings == [(os.fsencode(path), "changed while it was read")]
    line = sink.lines()[os.fsencode(path)]
    assert (line.flags, line.size) == ("m", 24 << 20)
    sink.unpack(tmp_path / "back")


def test_a_tree_that_is_taken_away_below_the_walk_is_reported(tmp_path: Path) -> None:
    big_file(tmp_path / "s/a-big", 24)
    late = small_tree(tmp_path / "s/late", files=200)

    def remove() -> None:
        for path in sorted(late.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()

    removed = once(remove)

    def when_it_is_there() -> None:
        if len(sink.parts["data-0001.tar.zst"]) > 26 << 20:
            removed()

    sink = Sink(when_it_is_there)
    run(tmp_path / "s", sink)
    assert sink.totals["state"] == "warning"
    reasons = {why for _, why in sink.warnings}
    assert "vanished before it was read" in reasons
    assert reasons <= {
        "vanished before it was read",
        "changed while it was read",
        "no such file or directory",
    }
    sink.unpack(tmp_path / "back")


def writer(sink: Sink) -> tuple[ObjectWriter, SegmentWriter, ListingWriter]:
    tar = SegmentWriter(PartStream(sink, ()), segment_bytes=1 << 30, zstd_level=3)
    listing = ListingWriter({})
    pen = Pen(tar, listing, sink.warning)
    return ObjectWriter(pen, lambda: False), tar, listing


@pytest.mark.parametrize(
    ("become", "why"),
    [
        ("gone", "vanished"),
        ("dir", "replaced by"),
        ("fifo", "replaced by"),
        ("link", ""),
    ],
)
def test_a_file_that_became_something_else_is_told_or_saved_as_that(
    tmp_path: Path, become: str, why: str
) -> None:
    path = tmp_path / "it"
    make = {
        "gone": lambda: None,
        "dir": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("elsewhere"),
    }
    make[become]()
    sink = Sink()
    objects, tar, listing = writer(sink)
    fd = os.open(tmp_path, os.O_RDONLY)
    objects.save(os.fsencode(path), fd, b"it", None)
    os.close(fd)
    tar.finish()
    tar.close()
    listing.close()
    if why:
        assert [reason for _, reason in sink.warnings if why in reason]
    else:
        assert sink.warnings == []
        assert listing.objects == 1


def test_a_fifo_in_the_place_of_a_file_does_not_hold_the_backup(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    sink = run(tmp_path)
    assert sink.lines()[os.fsencode(tmp_path / "fifo")].kind == "p"


def test_sockets_are_counted_and_said_to_be_no_warning(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        sink = run(tmp_path)
    assert sink.totals["skipped"] == 1
    assert sink.totals["state"] == "ok"
    assert len(sink.lines()) == 1


def test_a_file_that_cannot_be_read_is_listed_as_not_saved(tmp_path: Path) -> None:
    """Reading /proc/self/mem fails with EIO, even for root."""
    sink = run(Path("/proc/self"), excludes=("/proc/self/**",))
    assert sink.lines() != {}
    mem = Path("/proc/self/mem")
    sink = run(mem)
    ((path, why),) = sink.warnings
    assert path == b"/proc/self/mem"
    assert "cannot be read" in why
    assert sink.lines()[path].saveset == "-"


def test_a_source_that_does_not_exist_ends_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no/such"):
        run(tmp_path / "no/such")


def test_one_missing_source_of_two_is_a_warning(tmp_path: Path) -> None:
    small_tree(tmp_path / "s", files=2)
    sink = Sink()
    sources = (os.fsencode(tmp_path / "s"), os.fsencode(tmp_path / "none"))
    Source(SourceJob(sources), sink).run()
    assert [path for path, _ in sink.warnings] == [sources[1]]
    assert sink.totals["state"] == "warning"


def test_excludes_caches_and_markers_leave_out_what_they_should(tmp_path: Path) -> None:
    top = tmp_path / "s"
    for name in ("keep/a", "keep/b.bak", "tmp/x", "cache/data", "nobackup/data"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("x")
    tag = "Signature: 8a477f597d28d172789f06886806bc55\n"
    (top / "cache/CACHEDIR.TAG").write_text(tag)
    (top / "nobackup/.nobackup").write_text("")
    (top / "keep/CACHEDIR.TAG").write_text("another text")
    sink = run(
        top,
        excludes=("*.bak", f"{top}/tmp/"),
        exclude_caches=True,
        exclude_if_present=(".nobackup",),
    )
    found = {os.fsdecode(path)[len(str(top)) :] for path in sink.lines()}
    assert found == {
        "", "/keep", "/keep/a", "/keep/CACHEDIR.TAG", "/cache", "/cache/CACHEDIR.TAG",
        "/nobackup", "/nobackup/.nobackup",
    }  # fmt: skip


def test_own_directories_are_passed_over_with_a_note(tmp_path: Path) -> None:
    small_tree(tmp_path / "s/data", files=2)
    small_tree(tmp_path / "s/store", files=2)
    own = os.fsencode(tmp_path / "s/store")
    sink = run(tmp_path / "s", own=(own,))
    assert [path for path, _ in sink.notes] == [own]
    assert not any(path.startswith(own + b"/") for path in sink.lines())


def test_sources_within_each_other_are_read_once(tmp_path: Path) -> None:
    small_tree(tmp_path / "s", files=10)
    sources = (tmp_path / "s/dir1", tmp_path / "s", tmp_path / "s/dir1/../dir1")
    job = SourceJob(tuple(os.fsencode(one) for one in sources[:2]))
    sink = Sink()
    Source(job, sink).run()
    assert sink.totals["files"] == len(sink.lines()) == 16


def test_segments_are_cut_and_joined_give_the_tar(tmp_path: Path) -> None:
    big_file(tmp_path / "s/big", 5)
    small_tree(tmp_path / "s/tree")
    sink = run(tmp_path / "s", segment_bytes=1 << 20)
    data = [name for name in sink.parts if name.startswith("data-")]
    assert data == [f"data-{n:04d}.tar.zst" for n in range(1, len(data) + 1)]
    assert len(data) >= 5
    sink.unpack(tmp_path / "back")
    back = tmp_path / "back" / str(tmp_path / "s/big").lstrip("/")
    assert back.read_bytes() == (tmp_path / "s/big").read_bytes()


def test_a_stopped_source_closes_its_tar(tmp_path: Path) -> None:
    small_tree(tmp_path / "s", files=20)
    sink = Sink()
    job = SourceJob((os.fsencode(tmp_path / "s"),))
    Source(job, sink, stopped=lambda: True).run()
    assert sink.totals["state"] == "cancelled"
    sink.unpack(tmp_path / "back")


def test_told_to_stop_not_one_more_large_file_is_begun(tmp_path: Path) -> None:
    for name in "abcdefgh":
        big_file(tmp_path / "s" / name, 8)
    told: list[int] = []
    sink = Sink(lambda: told.append(1))
    job = SourceJob((os.fsencode(tmp_path / "s"),))
    Source(job, sink, stopped=lambda: bool(told)).run()
    assert sink.totals["state"] == "cancelled"
    assert sink.totals["files"] <= 3
    assert sink.totals["bytes"] <= 16 << 20
    sink.unpack(tmp_path / "back")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_directory_that_may_not_be_read_is_saved_itself_and_marked(
    tmp_path: Path,
) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    small_tree(tmp_path / "s/closed", files=3)
    (tmp_path / "s/closed").chmod(0o700)
    (tmp_path / "s/open").write_bytes(b"x")
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setresuid(65534, 65534, 65534)
        sink = run(tmp_path / "s")
        lines = sink.lines()
        closed = lines[os.fsencode(tmp_path / "s/closed")]
        good = (
            (closed.kind, closed.mode, closed.flags, closed.saveset)
            == ("d", 0o700, "m", "")
            and [why for _, why in sink.warnings] == ["permission denied"]
            and len(lines) == 3
        )
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_file_of_the_kernel_without_a_size_is_saved_whole(tmp_path: Path) -> None:
    path = Path("/proc/cpuinfo")
    sink = run(path)
    assert [why for _, why in sink.warnings] == ["changed while it was read"]
    assert sink.lines()[os.fsencode(path)].flags == "m"
    sink.unpack(tmp_path / "back")
    back = (tmp_path / "back/proc/cpuinfo").read_bytes()
    assert back.count(b"\n") == path.read_bytes().count(b"\n")


def test_a_stream_for_the_shell_passes_over_data_stores(tmp_path: Path) -> None:
    small_tree(tmp_path / "s/data", files=2)
    store = small_tree(tmp_path / "s/store", files=2)
    (store / ".sesam-store").write_text('{"sesam_store": 1}')
    small_tree(tmp_path / "s/other", files=2)
    (tmp_path / "s/other/.sesam-store").write_text("notes about stores")
    sink = run(tmp_path / "s", pass_stores=True)
    assert sink.notes == [(os.fsencode(store), "excluded: a data store")]
    assert not any(os.fsencode(store) + b"/" in path for path in sink.lines())
    assert os.fsencode(tmp_path / "s/other/.sesam-store") in sink.lines()
    assert len(run(tmp_path / "s").lines()) > len(sink.lines())


def test_a_directory_of_very_many_entries_takes_little_memory(tmp_path: Path) -> None:
    top = tmp_path / "s"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    one = os.open("first", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.close(one)
    # Links to a few files: many names are made quickly so.
    names = 250_000
    for number in range(names):
        if number % 60_000 == 0:
            first = f"file{number:07d}"
            os.close(os.open(first, os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        else:
            os.link(first, f"file{number:07d}", src_dir_fd=fd, dst_dir_fd=fd)
    os.close(fd)
    pid = os.fork()
    if not pid:
        # What this process has of the tests before it is not the walk's.
        with open("/proc/self/statm") as file:
            before = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20
        sink = Counting()
        job = SourceJob((os.fsencode(top),))
        Source(job, sink).run()
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10) - before
        os._exit(0 if peak < 150 and sink.totals["files"] == names + 2 else 1)
    _, status = os.waitpid(pid, 0)
    assert status == 0


class Counting(Sink):
    def data(self, chunk: bytes) -> None:
        """Not kept."""


def test_a_job_comes_through_its_json(tmp_path: Path) -> None:
    job = SourceJob(
        (b"/\xff", b"/a"),
        "c",
        excludes=("x\udcff",),
        own=(b"/o",),
        recipients=("age1",),
    )
    assert decode(encode(job)) == job
