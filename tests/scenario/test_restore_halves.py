"""A large saveset comes back through two processes as through one."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Site
from trees import differences, hostile_tree, snapshot

PLACES, FILES = 12, 500
LONG = "p" * 200


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody changes it."""
    return grown(tmp_path_factory.mktemp("large") / "source")


def grown(top: Path) -> Path:
    """6,000 files with names long enough for a listing of many frames."""
    rng = random.Random(11)
    hostile_tree(top)
    files = []
    for number in range(PLACES):
        place = top / LONG / LONG / LONG / f"{number:02}{'d' * 150}"
        place.mkdir(parents=True)
        for file in range(FILES):
            one = place / f"{file:03}{'n' * 200}"
            one.write_bytes(rng.randbytes(rng.randrange(60)))
            files.append(one)
    for number, one in enumerate(rng.sample(files, 40)):
        place = rng.choice(files).parent
        os.link(one, place / f"{rng.randrange(FILES):03}-again-{number}")
    for number, place in enumerate(sorted({one.parent for one in files})):
        place.chmod(0o555 if number % 3 else 0o2775)
        os.utime(place, (10**9 + number, 10**9 + number))
    for number, place in enumerate((top / LONG / LONG, top / LONG, top)):
        os.utime(place, (10**8 + number, 10**8 + number))
    (top / LONG).chmod(0o705)
    return top


def helper_of(running: subprocess.Popen) -> int:
    """Return the pid of the second process, 0 where there is none."""
    for one in Path(f"/proc/{running.pid}/task").glob("*/children"):
        for pid in one.read_text().split():
            with suppress(FileNotFoundError):
                if b"halfwork" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return 0


def met(running: subprocess.Popen) -> int:
    """Wait for the second process."""
    while not (pid := helper_of(running)):
        assert running.poll() is None
        time.sleep(0.001)
    return pid


def ended(running: subprocess.Popen) -> int:
    """Wait for the restore; return its exit code."""
    running.communicate(timeout=60)
    return running.returncode


def placed(target: Path, source: Path) -> Path:
    return target / str(source).lstrip("/")


def same(source: Path, target: Path) -> None:
    back = placed(target, source)
    assert differences(snapshot(source), snapshot(back)) == []
    marks = subprocess.run(
        ["find", target, "-name", ".sesam-part-*"], capture_output=True, check=True
    )
    assert marks.stdout == b""


def log_of(site: Site) -> str:
    newest = max(row["job"] for row in site.json("job list"))
    return site.sm("job log", str(newest)).out


@pytest.mark.parametrize("encrypted", [False, True])
def test_two_processes_bring_back_what_one_does(
    site: Site, tmp_path: Path, large: Path, encrypted: bool
) -> None:
    options = []
    if encrypted:
        options = ["--recipient", site.json("setup key", "add", "k")["recipient"]]
    words = (site.backup(large, "tree", *options)["saveset"], "--target")
    running = site.popen("restore start", *words, tmp_path / "two")
    met(running)
    assert ended(running) == 0
    same(large, tmp_path / "two")
    result = site.json("job list")[0]
    assert result["state"] == "ok"
    running = site.popen(
        "restore start",
        *words,
        tmp_path / "one",
        preexec_fn=_one_processor,
    )
    while running.poll() is None:
        assert not helper_of(running)
        time.sleep(0.001)
    assert ended(running) == 0
    same(large, tmp_path / "one")


@pytest.mark.parametrize("after", [0.0, 0.15])
def test_the_second_process_dies(
    site: Site, tmp_path: Path, large: Path, after: float
) -> None:
    saveset = site.backup(large)["saveset"]
    running = site.popen("restore start", saveset, "--target", tmp_path / "back")
    pid = met(running)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    assert ended(running) == 0
    same(large, tmp_path / "back")
    assert "the later half failed" in log_of(site)


@pytest.mark.parametrize("after", [0.0, 0.2])
def test_the_restore_is_killed_and_run_again(
    site: Site, tmp_path: Path, large: Path, after: float
) -> None:
    words = (site.backup(large)["saveset"], "--target", tmp_path / "back")
    running = site.popen("restore start", *words)
    pid = met(running)
    time.sleep(after)
    running.kill()
    ended(running)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    site.sm("restore start", *words)
    same(large, tmp_path / "back")


def test_a_restore_that_is_told_to_stop_takes_the_other_process_along(
    site: Site, tmp_path: Path, large: Path
) -> None:
    words = (site.backup(large)["saveset"], "--target", tmp_path / "back")
    running = site.popen("restore start", *words)
    pid = met(running)
    running.send_signal(signal.SIGTERM)
    assert ended(running) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{pid}").exists()
    site.sm("restore start", *words)
    same(large, tmp_path / "back")


def test_both_halves_are_counted_where_nothing_is_said(
    site: Site, tmp_path: Path
) -> None:
    """No links and no warnings: the second process has nothing but counts to tell."""
    source = tmp_path / "source"
    for number in range(PLACES):
        place = source / LONG / LONG / LONG / f"{number:02}{'d' * 150}"
        place.mkdir(parents=True)
        for file in range(FILES):
            (place / f"{file:03}{'n' * 200}").write_text("four")
    saveset = site.backup(source)["saveset"]
    words = (saveset, "--target", tmp_path / "back", "--format", "json")
    running = site.popen("restore start", *words)
    met(running)
    told = json.loads(running.communicate(timeout=60)[0])
    assert told["files"] == PLACES * (FILES + 1) + 4
    assert (told["bytes"], told["skipped"]) == (PLACES * FILES * 4, 0)


def damage(back: Path) -> None:
    """Change, take away and add things in both halves."""
    rng = random.Random(5)
    for place in sorted((back / LONG / LONG / LONG).iterdir()):
        place.chmod(0o700)
        files = sorted(place.iterdir())
        one, two, three = rng.sample(files, 3)
        one.unlink()
        two.unlink()
        two.mkdir()
        three.unlink()
        three.write_text("by somebody else")
        (place / "new").write_text("here")
        os.utime(place, (5, 5))


@pytest.mark.parametrize("existing", ["keep", "overwrite", "older", "rename"])
def test_what_is_there_is_treated_alike_in_both_halves(
    site: Site, tmp_path: Path, large: Path, existing: str
) -> None:
    words = (site.backup(large)["saveset"], "--existing", existing, "--target")
    found = []
    for name, alone in (("two", False), ("one", True)):
        target = tmp_path / name / "back"
        site.sm("restore start", words[0], "--target", target)
        damage(placed(target, large))
        running = site.popen(
            "restore start",
            *words,
            target,
            *("--format", "json"),
            preexec_fn=_one_processor if alone else None,
        )
        if not alone:
            met(running)
        told = json.loads(running.communicate(timeout=60)[0])
        found.append(snapshot(placed(target, large)))
        found.append({key: told[key] for key in ("files", "bytes", "skipped")})
    assert _timeless(found[0]) == _timeless(found[2])
    assert found[1] == found[3]


def _one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _timeless(found: dict) -> dict:
    """Leave out the times of what the test has written, of its own and of now."""
    late = time.time_ns() - 10**12
    return {
        path: {**facts, "mtime": 0} if facts["mtime"] > late else facts
        for path, facts in found.items()
    }


def test_a_file_in_the_way_of_both_halves_is_reported_and_parts_nothing(
    site: Site, tmp_path: Path, large: Path
) -> None:
    saveset = site.backup(large)["saveset"]
    way = placed(tmp_path / "back", large)
    way.mkdir(parents=True)
    (way / LONG).write_text("a file")
    site.sm("restore start", saveset, "--target", tmp_path / "back", code=3)
    assert (way / LONG).read_text() == "a file"
    site.sm(
        *("restore start", saveset, "--target", tmp_path / "back"),
        *("--existing", "overwrite"),
    )
    same(large, tmp_path / "back")


def test_a_chain_comes_back_through_two_processes(site: Site, tmp_path: Path) -> None:
    source = grown(tmp_path / "source")
    site.backup(source)
    for number, place in enumerate(sorted((source / LONG / LONG / LONG).iterdir())):
        place.chmod(0o700)
        os.link(sorted(place.iterdir())[number], source / f"over-there-{number}")
        (place / "new").write_text(f"since then {number}")
    shutil.rmtree(sorted((source / LONG / LONG / LONG).iterdir())[5])
    incr = site.json("backup start", "tree", "--level", "INCR")["saveset"]
    running = site.popen("restore start", incr, "--target", tmp_path / "back")
    met(running)
    assert ended(running) == 0
    same(source, tmp_path / "back")
