"""Deep trees, maps of very many holes, temporary files without room: memory is flat."""

import os
import random
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Site
from sink import Sink

from sesam.client.content import extents
from sesam.saveset.attributes import sparse_map
from sesam.service.sending.source import Source
from sesam.service.sending.sourcejob import SourceJob

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


class Counting(Sink):
    def data(self, chunk: bytes) -> None:
        """Not kept."""


def growth_mib(work: Callable[[], object]) -> int:
    """Return by how much the peak memory of a child grows while it works."""
    near, far = os.pipe()
    pid = os.fork()
    if not pid:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(far, b"%d" % ((after - before) >> 10))
        os._exit(0)
    os.close(far)
    with open(near) as told:
        text = told.read()
    os.waitpid(pid, 0)
    return int(text)


def saved(source: Path) -> Sink:
    sink = Counting()
    Source(SourceJob((os.fsencode(source),)), sink).run()
    return sink


def test_a_tree_of_many_levels_takes_little_memory(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    fd = os.open(source, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d" * 250, dir_fd=fd)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    assert growth_mib(lambda: saved(source)) < 50
    subprocess.run(["rm", "-rf", source], check=True)


def test_the_map_of_a_file_with_very_many_holes_comes_in_pieces() -> None:
    found = [number for at in range(0, 400_000, 4) for number in (at, 2)]
    pieces = list(sparse_map(found, 399_998))
    assert max(map(len, pieces)) < 256 << 10
    text = b"".join(pieces)
    assert len(text) % 512 == 0
    numbers = text.rstrip(b"\0").split(b"\n")
    assert numbers == [b"100000", *(b"%d" % one for one in found), b""]


@pytest.mark.parametrize(("data", "size"), [([], 9), ([0, 9], 20), ([5, 4], 9)])
def test_a_map_ends_where_the_file_does(data: list[int], size: int) -> None:
    text = b"".join(sparse_map(data, size)).rstrip(b"\0")
    numbers = [int(one) for one in text.split()]
    assert numbers[0] == len(numbers) // 2
    assert sum(numbers[-2:]) == size
    assert numbers[1 : 1 + len(data)] == data


def test_a_file_of_many_extents_is_unpacked_by_tar(tmp_path: Path) -> None:
    path = tmp_path / "s/holes"
    path.parent.mkdir()
    with open(path, "wb") as file:
        for number in range(3000):
            os.pwrite(file.fileno(), b"%d" % number, number * 12288 + 5)
        file.truncate(3000 * 12288)
    with open(path, "rb") as file:
        assert len(extents(file.fileno(), 3000 * 12288)) == 6000
    sink = Sink()
    Source(SourceJob((os.fsencode(tmp_path / "s"),)), sink).run()
    sink.unpack(tmp_path / "back")
    back = tmp_path / "back" / str(path).lstrip("/")
    assert back.read_bytes() == path.read_bytes()
    assert back.stat().st_blocks == path.stat().st_blocks


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    where = tmp_path / "tiny"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where]
    subprocess.run(mount, check=True)
    yield where
    subprocess.run(["umount", "-l", where], check=True)


@needs_root
def test_a_listing_without_room_for_its_temporary_file_ends_the_backup(
    site: Site, tmp_path: Path, tiny_disk: Path
) -> None:
    source, rng = tmp_path / "source", random.Random(4)
    source.mkdir()
    (source / "first").write_bytes(b"")
    for number in range(50_000):  # names that do not compress, quickly made
        os.link(source / "first", source / f"{number}{rng.randbytes(100).hex()}")
    site.sm("task add", "tree", "--source", source)
    cramped = Site(site.root, {"TMPDIR": str(tiny_disk)})
    done = cramped.sm("backup start", "tree", "--format", "json", code=50)
    assert str(tiny_disk) in done.error["message"]
    assert "TMPDIR" in done.error["hint"]
    assert site.json("job list")[0]["state"] == "error"
    assert os.listdir(site.store()) == [".sesam-store"]
    assert site.backup(source)["state"] == "ok"
