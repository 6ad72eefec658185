"""A restore that was stopped goes on, and what it cannot read is left out alone."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from conftest import Site
from trees import differences, snapshot


def plain_tree(top: Path, files: int = 60, size: int = 1 << 19) -> Path:
    rng = random.Random(4)
    for number in range(files):
        path = top / f"dir{number % 3}" / f"file{number:03d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(size))
    for number, one in enumerate([*top.iterdir(), top]):
        one.chmod(0o750 + number % 2)
        os.utime(one, (1000 + number, 1000 + number))
    return top


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_restore_that_was_stopped_finishes_its_directories_the_next_time(
    site: Site, tmp_path: Path, name: str
) -> None:
    source = plain_tree(tmp_path / "source")
    saveset = site.backup(source)["saveset"]
    words = (saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    running = site.popen("restore start", *words)
    while not (back / "dir0/file006").exists():
        assert running.poll() is None
        time.sleep(0.001)
    running.send_signal(getattr(signal, name))
    running.communicate(timeout=30)
    assert running.returncode != 0
    site.sm("restore start", *words)
    assert differences(snapshot(source), snapshot(back)) == []
