"""Write RESULTS.md from what bench.py measured.

    python tests/bench/report.py [RESULTS.jsonl]... [--to FILE]

First the goals: what must be reached, what was. Then for each set of data the medians
of all systems, sesam as a multiple of each (round by round, then the median), processor
time, memory, bytes stored, and what failed or was restored otherwise than it was.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from goals import GOALS, Figures, Record, verdict
from systems import ITEMS

HERE = Path(__file__).resolve().parent
CHAIN = ("link", "restore_chain", "restore_full")
Cell = Callable[[str, str], str]


def number(value: float | None, unit: str = "") -> str:
    """Return three digits that count, `-` for none."""
    if value is None:
        return "-"
    places = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{places}f}{unit}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|---|{'---:|' * (len(names) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def machine(metas: list[Record]) -> Iterator[str]:
    for one in metas:
        facts = one["meta"]
        yield (
            f"{one['run']} UTC: {facts['cpus']} x {facts['cpu']}, "
            f"{facts['memory_gib']} GiB, Linux {facts['kernel']}, "
            f"{facts['filesystem']}, Python {facts['python']}"
        )
        yield ""
        for system, said in facts["versions"].items():
            yield f"- {system}: {said}; {facts['notes'][system]}"
        for system, why in facts["missing"].items():
            yield f"- {system}: left out, {why}"
        yield ""


def goals(figures: Figures) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield "`x NAME` is a multiple of what NAME took in the same round, the"
    yield "median of all rounds; of several, the best. Goals are for data of scale 1."
    yield ""
    rows = []
    for goal in GOALS:
        reached = figures.reached(goal)
        rows.append(
            (
                goal.work,
                goal.against,
                number(goal.must),
                number(goal.aim),
                number(reached),
                verdict(goal, reached),
            )
        )
    yield from table(("work", "measured in", "must", "aim", "reached", ""), rows)


class Section:
    """The tables of one set of data."""

    def __init__(self, data: str, records: list[Record], census: Record) -> None:
        self.data, self.census = data, census
        self.records = [one for one in records if one["data"] == data]
        self.figures = Figures(self.records)
        self.systems = sorted(
            dict.fromkeys(one["system"] for one in self.records),
            key=lambda name: (name != "sesam", name == "limits"),
        )
        seen = {one["item"] for one in self.records}
        self.items = [one for one in (*ITEMS, *CHAIN) if one in seen]

    def values(self, system: str, item: str, figure: str) -> list[float]:
        key = f"{self.data}/{item}/{system}"
        return list(self.figures.by_round(key, figure).values())

    def middle(self, system: str, item: str, figure: str) -> float | None:
        found = self.values(system, item, figure)
        return median(found) if found else None

    def grid(self, title: str, items: Iterable[str], cell: Cell) -> Iterator[str]:
        names = list(items)
        yield f"{title}:"
        yield ""
        rows = [[s, *(cell(s, item) for item in names)] for s in self.systems]
        yield from table(("system", *names), [r for r in rows if set(r[1:]) != {"-"}])

    def wall(self, system: str, item: str) -> str:
        found = self.values(system, item, "wall")
        if not found:
            ran = any((o["system"], o["item"]) == (system, item) for o in self.records)
            return "failed" if ran else "-"
        spread = f" ({number(min(found))}-{number(max(found))})" * (len(found) > 1)
        return f"{number(median(found))}{spread}"

    def multiple(self, system: str, item: str) -> str:
        ours, theirs = (
            self.figures.by_round(f"{self.data}/{item}/{one}", "wall")
            for one in ("sesam", system)
        )
        return number(Figures.ratio(ours, [theirs]))

    def cpu(self, system: str, item: str) -> str:
        found = zip(
            self.values(system, item, "user"),
            self.values(system, item, "sys"),
            strict=True,
        )
        totals = [user + kernel for user, kernel in found]
        return number(median(totals) if totals else None)

    def stored(self, system: str, item: str) -> str:
        found = self.middle(system, item, "stored")
        return number(found / 1e6 if found else None)

    def durable(self, system: str, item: str) -> str:
        wall, flush = (self.middle(system, item, one) for one in ("wall", "sync"))
        return number(None if wall is None or flush is None else wall + flush)

    def memory(self, system: str, item: str) -> str:
        found = self.values(system, item, "rss_mib")
        return number(max(found) if found else None)

    def lines(self) -> Iterator[str]:
        one = self.census
        yield f"## {self.data} (scale {one['scale']:g})"
        yield ""
        others = [one["others"] for one in self.records]
        yield (
            f"{one['files']:,} files, {one['directories']:,} directories, "
            f"{one['bytes'] / 1e6:,.0f} MB ({one['allocated'] / 1e6:,.0f} allocated); "
            f"rounds: {1 + max(one['round'] for one in self.records)}. Others used "
            f"{median(others):.0%} of the processors meanwhile (median; at most "
            f"{max(others):.0%})"
        )
        yield ""
        saves = [one for one in ("full", "incr", "nochange") if one in self.items]
        whole = [one for one in (*saves, "restore_all", *CHAIN) if one in self.items]
        yield from self.grid("Seconds, median (least-most)", self.items, self.wall)
        yield from self.grid(
            "sesam as a multiple of each, seconds", self.items, self.multiple
        )
        yield from self.grid("Seconds with the flush after it", whole, self.durable)
        yield from self.grid("Processor seconds, median", self.items, self.cpu)
        yield from self.grid("Peak memory, MiB", self.items, self.memory)
        yield from self.grid("MB in the store after it", saves, self.stored)
        yield from self.remarks()

    def remarks(self) -> Iterator[str]:
        for one in self.records:
            what = f"- {one['system']}, {one['item']}, round {one['round']}"
            if one["rc"]:
                yield f"{what}: failed with exit {one['rc']}"
            elif one.get("differs"):
                told = ", ".join(f"{n} {sort}" for sort, n in one["differs"].items())
                yield f"{what}: restored tree differs: {told}"
        yield ""


def report(records: list[dict[str, Any]]) -> str:
    """Return the page for the records of one run or of several."""
    done = [one for one in records if "item" in one]
    figures = Figures(done)
    lines = ["# sesam beside its peers", ""]
    lines += machine([one for one in records if "meta" in one])
    lines += goals(figures)
    for one in {one["census"]: one for one in records if "census" in one}.values():
        if any(record["data"] == one["census"] for record in done):
            lines += Section(one["census"], done, one).lines()
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = Path(tempfile.gettempdir(), "sesam-bench", "results.jsonl")
    parser.add_argument("results", nargs="*", type=Path, default=[usual])
    parser.add_argument("--to", type=Path, default=HERE / "RESULTS.md")
    given = parser.parse_args()
    lines = [line for one in given.results for line in one.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    given.to.write_text(report(records))
    print(f"written: {given.to}")


if __name__ == "__main__":
    main()
