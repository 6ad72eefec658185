"""The bench itself: its data, its measuring, its verdicts, and a trial of all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import day
import goals
import measure
from trees import differences, snapshot

HERE = Path(__file__).resolve().parent


def script(name: str, *words: object) -> str:
    command = [sys.executable, HERE / name, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_one_seed_makes_one_tree_today_and_tomorrow(tmp_path: Path) -> None:
    shots = []
    for top in (tmp_path / "one", tmp_path / "two"):
        script("data.py", "create", top, "--scale", 0.001)
        first = snapshot(top)
        spare = script("data.py", "sample", top, "--day", 2).strip()
        content = Path(spare).read_bytes()
        script("data.py", "mutate", top, "--scale", 0.001, "--spare", spare)
        assert Path(spare).read_bytes() == content
        shots.append(
            (first, {one: facts.get("content") for one, facts in snapshot(top).items()})
        )
    assert differences(shots[0][0], shots[1][0]) == []
    assert shots[0][1] == shots[1][1]
    assert shots[0][1].keys() != shots[0][0].keys()


def test_a_day_changes_one_percent_of_an_image(tmp_path: Path) -> None:
    top = tmp_path / "vm"
    script("data.py", "create", top, "--kind", "vm", "--scale", 0.01)
    before = (top / "disk.img").read_bytes()
    day.mutate(top, "vm", 2, 1)
    after = (top / "disk.img").read_bytes()
    extents = range(0, len(before), 65536)
    changed = [
        at for at in extents if before[at : at + 65536] != after[at : at + 65536]
    ]
    assert len(before) == len(after)
    assert len(changed) == len(extents) // 100


def test_memory_is_that_of_all_processes_together(tmp_path: Path) -> None:
    eater = f"{sys.executable} -c 'm = bytearray(60 << 20); input()'"
    command = f"(sleep 0.6; echo; echo) | tee >({eater}) >({eater}) > /dev/null; exit 7"
    cost = measure.run(command, dict(os.environ), tmp_path / "log")
    assert cost["rc"] == 7
    assert cost["wall"] > 0.5
    assert 120 < cost["rss_mib"] < 220


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    cost = measure.run("sleep 60", dict(os.environ), tmp_path / "log", timeout=0.2)
    assert cost["rc"] == -9
    assert cost["wall"] < 10


def record(system: str, turn: int, wall: float, **more: Any) -> dict[str, Any]:
    known = {"run": "r", "data": "small", "item": "verify", "rc": 0, "rss_mib": 10}
    return {**known, "system": system, "round": turn, "wall": wall, **more}


def test_a_ratio_is_taken_within_a_round_against_the_best() -> None:
    goal = goals.Goal(
        "",
        "small/verify/sesam",
        1.0,
        0.5,
        over=goals.same("small/verify", "borg", "restic"),
    )
    figures = goals.Figures(
        [
            *(
                record("sesam", 0, 1.0),
                record("borg", 0, 4.0),
                record("restic", 0, 2.0),
            ),
            *(record("sesam", 1, 9.0), record("borg", 1, 10.0)),
            *(record("sesam", 2, 5.0), record("borg", 2, 1.0, rc=1)),
        ]
    )
    reached = figures.reached(goal)
    assert reached == (0.5 + 0.9) / 2
    assert goals.verdict(goal, reached) == "reached"
    assert goals.verdict(goal, 0.5) == "aim reached"
    assert goals.verdict(goal, 1.01) == "MISSED"
    assert goals.verdict(goal, goals.Figures([]).reached(goal)) == "not measured"


def test_a_trial_measures_restores_and_reports(tmp_path: Path) -> None:
    work, page = tmp_path / "work", tmp_path / "RESULTS.md"
    items = "full,incr,nochange,restore_all,restore_one,list,verify,start"
    same = ("--work", work, "--scale", 0.002, "--rounds", 1, "--patience", 0)
    some = ("--systems", "sesam,tar+zstd,limits", "--items", items, "--chain", 2)
    script("bench.py", *same, *some)
    script("report.py", work / "results.jsonl", "--to", page)
    results = (work / "results.jsonl").read_text().splitlines()
    records = [one for line in results if "item" in (one := json.loads(line))]
    assert [one for one in records if one["rc"] or one.get("differs")] == []
    assert len(records) == 8 + 7 + 8 + 2 + 2
    assert not list(work.glob("run-*"))
    text = page.read_text()
    assert str(tmp_path) not in text
    assert "| FULL of small | x tar+zstd | 1.20 | 0.85 |" in text
    assert "| restore out of a chain | x sesam restore_full | 1.20 |" in text


def test_the_calendar_is_measured_at_a_small_scale(tmp_path: Path) -> None:
    page = tmp_path / "TICKS.md"
    same = ("--scale", 0.002, "--rounds", 1, "--work", tmp_path, "--to", page)
    rows = list(map(json.loads, script("ticks.py", *same).splitlines()))
    assert [row["verdict"] for row in rows if "due" in row["what"]] == ["reached"]
    assert len(rows) == 5
    assert not list(tmp_path.glob("sesam-ticks-*"))
    assert "| simulate a year of 2 events |" in page.read_text()
