"""One pass of all systems over all items of work, on one set of data."""

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import measure
from systems import BENCH, System

Write = Callable[[dict[str, Any]], None]
SETTLE_SECONDS = 1.5  # some tools see seconds only: what changed must be later
WHOLE_TREES = ("restore_all", "restore_chain", "restore_full")
LEAST_FREE_BYTES = 10 << 30


def child(script: str, *words: object) -> str:
    """Run a script of the bench: in a process of its own, this one stays small."""
    command = [sys.executable, str(BENCH / script), *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Dataset:
    """A set of data on disk; a file beside it says how many days it has seen."""

    def __init__(self, work: Path, kind: str, scale: float, seed: int) -> None:
        self.kind, self.scale, self.seed, self.day = kind, scale, seed, 1
        self.path = work / "data" / kind
        self._stamp = work / "data" / f"{kind}.json"
        if not self._is_there():
            shutil.rmtree(self.path, ignore_errors=True)
            self._stamp.unlink(missing_ok=True)
            self._do("create", "--scale", scale)
            self._remember()

    def _is_there(self) -> bool:
        if not self._stamp.exists():
            return False
        known = json.loads(self._stamp.read_text())
        self.day = known.pop("day")
        return known == {"kind": self.kind, "scale": self.scale, "seed": self.seed}

    def _remember(self) -> None:
        facts = {"kind": self.kind, "scale": self.scale, "seed": self.seed}
        self._stamp.write_text(json.dumps({**facts, "day": self.day}))

    def _do(self, action: str, *more: object) -> str:
        same = ("--kind", self.kind, "--seed", self.seed, "--day", self.day)
        return child("data.py", action, self.path, *same, *more)

    def next_day(self, spare: Path | str = "") -> None:
        """Let a day pass over all but the file `spare`."""
        self.day += 1
        self._remember()
        self._do("mutate", "--spare", spare)

    def census(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._do("census"))
        return found

    def sample(self) -> Path:
        return Path(self._do("sample").removesuffix("\n"))

    def warm(self) -> None:
        """Read all of it, so that no system pays for another's use of the cache."""
        every = 'find "$0" -type f -print0 | xargs -0 cat > /dev/null'
        subprocess.run(["bash", "-c", every, str(self.path)], check=True)

    @property
    def is_of_few_files(self) -> bool:
        return self.kind in ("large", "vm")


class Round:
    def __init__(
        self,
        given: argparse.Namespace,
        place: Path,
        data: Dataset,
        systems: list[System],
        number: int,
        write: Write,
    ) -> None:
        self.given, self.data, self.number, self.write = given, data, number, write
        turn = number % len(systems)
        self.systems = systems[turn:] + systems[:turn]
        self.place = place / f"{data.kind}-{number}"
        self.log = given.work / "commands.log"
        self.file = data.sample()

    def run(self) -> None:
        self.place.mkdir(parents=True)
        self.data.warm()
        for system in self.systems:
            self.untimed(system, "init")
        for item in self.given.items:
            if item == "incr":
                self.data.next_day(self.file)
                time.sleep(SETTLE_SECONDS)
            for system in self.systems:
                if item in system.commands:
                    self.timed(system, item)
        if self.data.is_of_few_files and not self.given.keep:
            shutil.rmtree(self.place)

    def environment(self, system: System, item: str) -> dict[str, str]:
        where = {
            "REPO": self.place / system.name / "repo",
            "STATE": self.place / system.name / "state",
            "TARGET": self.place / system.name / f"{item}-{self.number}",
        }
        for path in where.values():
            path.mkdir(parents=True, exist_ok=True)
        return {
            **machine.environment(system, str(where["STATE"])),
            **{name: str(path) for name, path in where.items()},
            "DATA": str(self.data.path),
            "FILE": str(self.file),
            "REL": str(self.file.relative_to(self.data.path)),
            "NAME": self.file.name,
            "OURS": str(self.place / "sesam" / "repo"),
        }

    def untimed(self, system: System, item: str) -> None:
        if command := system.commands.get(item):
            env = self.environment(system, item)
            done = measure.run(command, env, self.log, self.given.timeout)
            if done["rc"]:
                print(f"{system.name}: {item} failed: see {self.log}")

    def timed(self, system: System, item: str) -> None:
        self.untimed(system, f"before_{item}")
        if self.data.is_of_few_files:
            self.data.warm()
        env = self.environment(system, item)
        if shutil.disk_usage(self.place).free < LEAST_FREE_BYTES:
            raise SystemExit(f"less than {LEAST_FREE_BYTES >> 30} GiB free: stopped")
        measure.flush(self.place)
        measure.wait_for_quiet(self.given.patience)
        command = system.commands[item]
        cost = measure.run(command, env, self.log, self.given.timeout)
        cost["sync"] = round(measure.flush(self.place), 3)
        if item in ("full", "incr", "nochange"):
            cost["stored"] = allocated(env["REPO"])
        target = Path(env["TARGET"])
        if not cost["rc"]:
            cost |= self.judged(system, item, target)
        if self.data.is_of_few_files and not self.given.keep:
            shutil.rmtree(target)
        self.write(
            {
                "data": self.data.kind,
                "scale": self.data.scale,
                "round": self.number,
                "system": system.name,
                "item": item,
                **cost,
            }
        )

    def judged(self, system: System, item: str, target: Path) -> dict[str, Any]:
        """Compare what was restored with its source: trees in the first round only.

        A restored tree may lie in the target, or below the path of its source there.
        """
        if item == "restore_one":
            found = next(target.rglob(self.file.name), None)
            same = found and filecmp.cmp(found, self.file, shallow=False)
            return {} if same else {"differs": {"the file": 1}}
        if item not in WHOLE_TREES or self.number or not system.whole:
            return {}
        below = target / self.data.path.relative_to("/")
        restored = below if below.exists() else target
        return {"differs": json.loads(child("compare.py", self.data.path, restored))}


def allocated(top: str) -> int:
    """Return the bytes that the files below `top` occupy."""
    return sum(
        os.lstat(os.path.join(base, name)).st_blocks * 512
        for base, _, names in os.walk(top)
        for name in names
    )
