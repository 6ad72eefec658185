"""What sesam is to reach, and whether it did."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

Record = dict[str, Any]
PEERS = ("restic", "borg", "dar")


@dataclass(frozen=True)
class Goal:
    """A figure of sesam: seconds, bytes or MiB, or a multiple of another's figure.

    of, over -- data/item/system; `*` for the item: the highest of all items. Of
    several `over` the least counts; none: the figure itself is held to `must`.
    """

    work: str
    of: str
    must: float
    aim: float | None = None
    over: tuple[str, ...] = ()
    figure: str = "wall"

    @property
    def against(self) -> str:
        """Say in words what `must` and `aim` are multiples of."""
        if not self.over:
            return "MiB" if self.figure == "rss_mib" else "s"
        data, item, _ = self.of.split("/")
        named = []
        for one in self.over:
            other, work, system = one.split("/")
            where = "" if other == data else f" at {other}"
            named.append(f"{system}{where}{'' if work == item else f' {work}'}")
        return f"x {' / '.join(named)}"


def _same(of: str, *systems: str) -> tuple[str, ...]:
    return tuple(f"{of}/{system}" for system in systems)


def _goals() -> Iterable[Goal]:
    def beside(
        work: str, of: str, must: float, *over: str, aim: float | None = None
    ) -> Goal:
        return Goal(work, f"{of}/sesam", must, aim, _same(of, *over))

    yield beside("FULL of small", "small/full", 1.2, "tar+zstd", aim=0.85)
    yield beside("FULL of large", "large/full", 1.0, "tar+zstd", aim=0.85)
    yield beside("FULL of vm", "vm/full", 1.0, "tar+zstd", aim=0.85)
    yield beside("INCR after a day", "small/incr", 0.3, "restic", aim=0.15)
    yield beside("INCR, nothing changed", "small/nochange", 0.3, "restic", aim=0.15)
    yield beside("INCR, nothing changed", "small/nochange", 3.0, "limits")
    yield beside("restore all", "small/restore_all", 1.2, "tar+zstd")
    yield beside("restore all", "small/restore_all", 1.0, *PEERS)
    yield Goal("restore one file", "small/restore_one/sesam", 0.3, 0.15)
    yield Goal("list the files of a FULL", "small/list/sesam", 0.5)
    yield Goal("find a name", "small/find/sesam", 0.25)
    yield beside("verify (zstd -t, all cores)", "small/verify", 1.2, "limits")
    yield beside("verify", "small/verify", 1.0, "tar+zstd", *PEERS)
    for kind in ("small", "large", "vm"):
        yield Goal(f"memory, {kind}", f"{kind}/*/sesam", 100, figure="rss_mib")
    yield Goal(
        "memory, ten times the files",
        "many/*/sesam",
        1.1,
        over=("small/*/sesam",),
        figure="rss_mib",
    )
    stored = _same("small/full", "tar+zstd")
    yield Goal(
        "bytes stored, FULL", "small/full/sesam", 1.1, over=stored, figure="stored"
    )
    yield Goal("start: sm_backup list", "small/start/sesam", 0.2)
    yield Goal("start: sm_task list", "small/start_task/sesam", 0.2)
    for of in ("small/full", "large/full", "small/restore_all", "small/verify"):
        data, item = of.split("/")
        plain = _same(of, "sesam")
        yield Goal(f"age: {item}, {data}", f"{of}/sesam+age", 1.15, over=plain)
    yield Goal(
        "restore out of a chain",
        "chain/restore_chain/sesam",
        1.2,
        over=("chain/restore_full/sesam",),
    )


GOALS = tuple(_goals())


class Figures:
    """Figures of commands that succeeded, by what was run and by round."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = [one for one in records if one["rc"] == 0]

    def by_round(self, key: str, figure: str) -> dict[tuple[str, int], float]:
        data, item, system = key.split("/")
        return {
            (one["run"], one["round"]): one[figure]
            for one in self.records
            if (one["data"], one["system"]) == (data, system)
            and one["item"] == item
            and figure in one
        }

    def peak(self, key: str) -> float | None:
        """Return the highest memory of all items and rounds, MiB."""
        data, _, system = key.split("/")
        return max(
            (
                one["rss_mib"]
                for one in self.records
                if (one["data"], one["system"]) == (data, system)
            ),
            default=None,
        )

    def reached(self, goal: Goal) -> float | None:
        """Return what the goal holds `must` against; None where it was not measured."""
        if goal.figure == "rss_mib":
            peaks = [self.peak(one) for one in (goal.of, *goal.over)]
            if None in peaks:
                return None
            return peaks[0] / peaks[1] if goal.over else peaks[0]
        ours = self.by_round(goal.of, goal.figure)
        if not goal.over:
            return median(ours.values()) if ours else None
        theirs = [self.by_round(one, goal.figure) for one in goal.over]
        return self.ratio(ours, theirs)

    @staticmethod
    def ratio(
        ours: dict[tuple[str, int], float],
        theirs: list[dict[tuple[str, int], float]],
    ) -> float | None:
        """Return the median over rounds of ours / the least of theirs in that round."""
        pairs = [
            mine / least
            for turn, mine in ours.items()
            if (least := min((one[turn] for one in theirs if turn in one), default=0))
        ]
        return median(pairs) if pairs else None


def verdict(goal: Goal, reached: float | None) -> str:
    if reached is None:
        return "not measured"
    if goal.aim is not None and reached <= goal.aim:
        return "aim reached"
    return "reached" if reached <= goal.must else "MISSED"
