"""An INCR whose later half is compared elsewhere is the INCR of one process."""

import os
import random
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sink import Sink

from sesam.device.directory import FileBlob
from sesam.saveset.listing import NAME
from sesam.saveset.middle import Middle, is_worth, middle_of
from sesam.saveset.reader import FramedBlob
from sesam.service.sending.source import Source
from sesam.service.sending.sourcejob import SourceJob

BASE = "SF20260101000000000@AAAAAAAAAAA"
DIRECTORIES, FILES = 70, 230


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tree of 16,000 objects with long names, and the listing of its FULL."""
    top = tmp_path_factory.mktemp("halves") / "source"
    for number in range(DIRECTORIES):
        place = top / f"dir{number:02}-{'d' * 90}"
        place.mkdir(parents=True)
        for file in range(FILES):
            (place / f"f{file:03}-{'n' * 160}").touch()
    time.sleep(0.2)
    sink = Sink()
    Source(SourceJob((os.fsencode(top),)), sink).run()
    listing = top.parent / f"{BASE}.listing.zst"
    listing.write_bytes(sink.parts[NAME])
    return top, listing


@contextmanager
def one_processor() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def middle(listing: Path) -> Middle:
    part = FramedBlob(FileBlob(str(listing)), NAME)
    try:
        found = middle_of(part, part.table.frames * 3 // 5)
    finally:
        part.close()
    assert found is not None
    return found


def incr(top: Path, listing: Path) -> Sink:
    sink = Sink()
    job = SourceJob((os.fsencode(top),), base=BASE, excludes=("**/left-out*",))
    base = FileBlob(str(listing))
    Source(job, sink, base=base).run()
    return sink


def same(one: Sink, other: Sink) -> None:
    assert list(one.lines().items()) == list(other.lines().items())
    assert one.totals == other.totals
    assert one.warnings == other.warnings
    assert one.notes == other.notes
    data = [name for name in one.parts if name.startswith("data")]
    assert [one.parts[name] for name in data] == [other.parts[name] for name in data]


def both(top: Path, listing: Path) -> Sink:
    time.sleep(0.2)
    found = incr(top, listing)
    with one_processor():
        same(found, incr(top, listing))
    return found


def test_nothing_has_changed(grown: tuple[Path, Path]) -> None:
    found = both(*grown)
    assert (found.totals["changed"], found.totals["deleted"]) == (0, 0)
    assert found.totals["files"] == DIRECTORIES * (FILES + 1) + 1


def test_changes_of_every_kind_on_both_sides(grown: tuple[Path, Path]) -> None:
    top, listing = grown
    rng = random.Random(4)
    places = sorted(top.iterdir())
    for number, place in enumerate(places):
        files = sorted(place.iterdir())
        one, two, three, four, five = rng.sample(files, 5)
        one.write_text(f"changed {number}")
        two.unlink()
        os.link(three, place / "odd-link")
        os.link(three, top / f"odd-link-{number}")
        four.unlink()
        four.mkdir()
        (four / "below").write_text("new")
        five.unlink()
        os.symlink("nowhere", five)
        (place / "zz-odd-new").write_text("new")
        (place / "left-out").write_text("excluded")
        os.mkfifo(place / "odd-fifo")
        with socket.socket(socket.AF_UNIX) as made:
            os.chdir(place)
            made.bind("odd-socket")
    os.chdir("/")
    shutil.rmtree(places[3])
    shutil.rmtree(places[-2])
    places[5].rename(top / "odd-renamed")
    shutil.rmtree(places[-1])
    places[-1].write_text("a file by now")
    found = both(top, listing)
    assert found.totals["deleted"] > 4 * FILES
    assert found.totals["changed"] > 4 * DIRECTORIES


def test_the_middle_is_gone(grown: tuple[Path, Path], tmp_path: Path) -> None:
    top, listing = grown
    at = Path(os.fsdecode(middle(listing).path))
    neighbours = sorted(at.parent.iterdir())
    here = neighbours.index(at)
    at.unlink()
    both(top, listing)
    for other in neighbours[here - 3 : here + 3]:
        other.unlink(missing_ok=True)
    (at.parent / (at.name[:10] + "-odd-new")).write_text("next to it")
    both(top, listing)
    shutil.rmtree(at.parent)
    both(top, listing)
    at.parent.write_text("no directory any more")
    both(top, listing)


def test_all_is_gone(grown: tuple[Path, Path]) -> None:
    top, listing = grown
    away = top.with_name("away")
    top.rename(away)
    top.mkdir()
    try:
        found = both(top, listing)
        assert found.totals["files"] == 1
    finally:
        top.rmdir()
        away.rename(top)


def test_a_process_that_fails_is_done_without(
    grown: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    top, listing = grown
    time.sleep(0.2)
    with one_processor():
        alone = incr(top, listing)
    for program in ("/bin/false", "/no/such/program"):
        monkeypatch.setattr(sys, "executable", program)
        same(incr(top, listing), alone)


def test_a_small_tree_needs_no_second_process(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    sink = Sink()
    Source(SourceJob((os.fsencode(tmp_path / "s"),)), sink).run()
    (tmp_path / NAME).write_bytes(sink.parts[NAME])
    part = FramedBlob(FileBlob(str(tmp_path / NAME)), NAME)
    assert not is_worth(part)
    part.close()


def test_a_link_to_x_is_no_deleted_path(tmp_path: Path) -> None:
    top = tmp_path / "s"
    top.mkdir()
    os.symlink("x", top / "last")
    sink = Sink()
    Source(SourceJob((os.fsencode(top),)), sink).run()
    assert sink.lines()[os.fsencode(top / "last")].target == b"x"


def test_a_middle_line_of_any_length_is_met(tmp_path: Path) -> None:
    """Its path is longer than what is read of a frame at once elsewhere."""
    top = fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(70):
        os.mkdir(b"\x01" * 250, dir_fd=fd)
        fd = os.open(b"\x01" * 250, os.O_RDONLY, dir_fd=fd)
    for number in range(120):
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    time.sleep(0.2)
    sink = Sink()
    Source(SourceJob((os.fsencode(tmp_path),)), sink).run()
    listing = tmp_path.with_name(f"{BASE}.listing.zst")
    listing.write_bytes(sink.parts[NAME])
    assert len(middle(listing).line) > 1 << 16
    try:
        found = both(tmp_path, listing)
        assert (found.totals["changed"], found.totals["deleted"]) == (0, 0)
    finally:
        listing.unlink()
        os.close(top)


def test_told_to_stop_it_stops_while_the_later_half_is_saved(
    grown: tuple[Path, Path],
) -> None:
    top, listing = grown
    saved = 0
    places = sorted(top.iterdir())
    for place in places[-20:]:
        if place.is_dir():
            for file in place.iterdir():
                if file.is_file():
                    file.write_text("changed")
    sink = Sink()
    job = SourceJob((os.fsencode(top),), base=BASE)
    source: list[Source] = []

    def stopped() -> bool:
        nonlocal saved
        saved += 1
        # The first half looks around some dozen times, the replay far more often.
        return saved > 50

    source.append(Source(job, sink, stopped=stopped, base=FileBlob(str(listing))))
    source[0].run()
    assert sink.totals["state"] == "cancelled"
    assert 0 < sink.totals["changed"] < 3000
