"""The calendar at scale: an idle tick, a tick with much to do, a year simulated.

    python tests/bench/ticks.py                     # shows the figures
    python tests/bench/ticks.py --to tests/bench/TICKS.md
    python tests/bench/ticks.py --scale 0.01 --rounds 1     # a trial of seconds

Whole processes, as cron runs them, on a site of its own below --work: 10,000 events on
1,000 schedules and a million rows of sheet and jobs, five years of history, of which
no tick may read more than it needs. `python3` is `python3 -c "import sqlite3"`.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

BIN = Path(__file__).resolve().parents[2] / "bin"
NOON = "2026-10-28T12:00:00+00:00"
HISTORY = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO {table} SELECT {values} FROM n"""
AT = "strftime('%Y-%m-%dT%H:%M:%S', {0}, 'unixepoch') || '.000000+00:00'"


class Bench:
    """A site with events and history, and what commands on it take."""

    def __init__(self, root: Path, rounds: int) -> None:
        self._root, self._rounds = root, rounds

    def sm(self, *words: str, now: str = NOON) -> None:
        subprocess.run(
            [BIN / words[0], *words[1:]],
            env=self._env(now),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _env(self, now: str) -> dict[str, str]:
        return {**os.environ, "SESAM_ROOT": str(self._root), "SESAM_NOW": now}

    def db(self) -> sqlite3.Connection:
        return sqlite3.connect(self._root / "var/db/sesam.db", isolation_level=None)

    def fill(self, schedules: int, events: int, history: int) -> None:
        """Add schedules at all minutes of the night, events on them, and history."""
        self.sm("sm_setup", "init", "--zone", "Europe/Berlin")
        self.sm("sm_task", "add", "etc", "--source", "/etc/hostname")
        self.sm("sm_schedule", "add", "S", "--start", "20:00")
        more = ("--type", "backup", "--schedule", "S", "--task", "etc")
        self.sm("sm_event", "add", "E", *more)
        self.sm("sepuler", "tick")
        db = self.db()
        db.execute("BEGIN")
        for number in range(schedules):
            start = f"{14 + number % 10}:{number // 10 % 60:02}"
            copy(db, "schedule", "S", name=f"S{number}", start=start)
        for number in range(events):
            copy(db, "task", "etc", name=f"t{number}")
        tasks = dict(db.execute("SELECT name, id FROM task"))
        hung = dict(db.execute("SELECT name, id FROM schedule"))
        for number in range(events):
            schedule, task = hung[f"S{number % schedules}"], tasks[f"t{number}"]
            copy(db, "event", "E", name=f"E{number}", task_id=task,
                 schedule_id=schedule)  # fmt: skip
        seconds = f"1635000000 + i * {157_000_000 // max(history, 1)}"
        at, key = AT.format(seconds), f"i % {events}"
        day = f"substr({at}, 1, 10)"
        past(db, "job", history, type="'backup'", object=f"'t' || {key}",
             state="'ok'", priority="1", backup_day=day, queued_at=at, started_at=at,
             ended_at=at, worker="''", fence="1", message="''", log="''",
             result="'{}'", exit_code="0")  # fmt: skip
        past(db, "occurrence", history, event=f"'E' || {key}", type="'backup'",
             object=f"'t' || {key}", task_group="''",
             schedule=f"'S' || ({key} % {schedules})", backup_day=day, start_at=at,
             closes_at="NULL", priority="1", blocking="0", level="''", state="'ok'",
             reason="''", decided_by="''", job_id="i + 1", count="1")  # fmt: skip
        db.execute("COMMIT")
        db.execute("ANALYZE")
        db.close()
        # Each event's next start is found once; from then on ticks are idle.
        self.sm("sepuler", "tick", now="2026-10-28T12:01:00+00:00")

    def walls(self, words: list[str | Path], now: str = NOON) -> tuple[float, int]:
        """Return the median seconds of a command, and its highest memory in MiB."""
        found = []
        for _ in range(self._rounds):
            began = time.perf_counter()
            subprocess.run(
                words, env=self._env(now), check=True, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            found.append(time.perf_counter() - began)
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        return median(found), used

    def due(self, events: int) -> float:
        """Return the seconds of a tick for which so many events are due."""
        found = []
        for number in range(self._rounds):
            db, now = self.db(), f"2026-10-28T22:59:{number:02}+00:00"
            db.execute("UPDATE event SET next_at = NULL")
            db.execute("DELETE FROM occurrence WHERE backup_day >= '2026-10-28'")
            db.execute("UPDATE job SET state = 'ok' WHERE state = 'queued'")
            db.execute("DELETE FROM site WHERE key IN ('clock', 'ticked_at')")
            db.execute(
                "UPDATE event SET next_at = '2026-10-28T12:59:00.000000+00:00' WHERE"
                " id IN (SELECT id FROM event WHERE name LIKE 'E_%' LIMIT ?)",
                [events],
            )
            db.close()
            began = time.perf_counter()
            self.sm("sepuler", "tick", now=now)
            found.append(time.perf_counter() - began)
            self.settle()
        return median(found)

    def settle(self) -> None:
        """Let the workers that the tick has started end, and no more begin."""
        db = self.db()
        db.execute("UPDATE job SET waits = 0 WHERE state = 'queued'")
        while db.execute("SELECT 1 FROM job WHERE state = 'active'").fetchone():
            time.sleep(0.1)
        db.close()


def copy(db: sqlite3.Connection, table: str, like: str, **changed: object) -> None:
    """Add a row like the one of a name, but for some columns."""
    columns = [one[1] for one in db.execute(f"PRAGMA table_info({table})")][1:]
    chosen = ", ".join(f":{one}" if one in changed else one for one in columns)
    db.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table}"
        " WHERE name = :like",
        {**changed, "like": like},
    )


def past(db: sqlite3.Connection, table: str, many: int, **values: str) -> None:
    into = f"{table} ({', '.join(values)})"
    sql = HISTORY.format(table=into, values=", ".join(values.values()))
    db.execute(sql, {"count": many - 1})


def measured(bench: Bench, many: Callable[[int], int]) -> list[dict[str, object]]:
    """Return the figures, each with what it is to be at most."""
    python, _ = bench.walls([sys.executable, "-c", "import sqlite3"])
    late = "2026-10-28T12:01:30+00:00"
    idle, _ = bench.walls([BIN / "sepuler", "tick"], late)
    year = ["--from", "2027-01-01", "--until", "2027-12-31", "--format", "jsonl"]
    month = [*year[:3], "2027-01-31", *year[4:]]
    some = [f"--event=E{number}" for number in range(many(1000))]
    words = [BIN / "sepuler", "simulate", *some]
    _, small = bench.walls([*words, *month])
    simulated, large = bench.walls([*words, *year])
    due = bench.due(many(1000))
    return [
        row("python3 -c 'import sqlite3'", python, None),
        row("idle tick", idle, 3 * python + 0.06),
        row(f"tick, {many(1000)} due", due, 2.0),
        row(f"simulate a year of {many(1000)} events", simulated, 10.0),
        row("simulate: MiB of a year beyond a month", large - small, 10.0),
    ]


def row(what: str, figure: float, most: float | None) -> dict[str, object]:
    verdict = "" if most is None else "reached" if figure <= most else "MISSED"
    return {"what": what, "figure": figure, "must": most, "verdict": verdict}


def page(rows: list[dict[str, object]], about: str) -> str:
    lines = [f"# The calendar at scale\n\n{about}\n", "| | reached | must | |"]
    lines.append("|---|---:|---:|---|")
    for one in rows:
        must = "-" if one["must"] is None else f"{one['must']:.2f}"
        lines.append(
            f"| {one['what']} | {one['figure']:.2f} | {must} | {one['verdict']} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--to", type=Path, help="write the page there")
    given = parser.parse_args()

    def many(count: int) -> int:
        return max(1, round(count * given.scale))

    root = Path(tempfile.mkdtemp(prefix="sesam-ticks-", dir=given.work))
    try:
        bench = Bench(root / "site", given.rounds)
        bench.fill(many(1000), many(10_000), many(1_000_000))
        rows = measured(bench, many)
    finally:
        shutil.rmtree(root)
    for one in rows:
        sys.stdout.write(json.dumps(one) + "\n")
    if given.to:
        about = (
            f"{many(10_000)} events on {many(1000)} schedules, {many(1_000_000)} rows"
            f" of history; seconds, median of {given.rounds} rounds."
        )
        given.to.write_text(page(rows, about))


if __name__ == "__main__":
    main()
