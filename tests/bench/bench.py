"""sesam beside its peers, on the same data, in the same hour.

    python tests/bench/bench.py                            # small, five rounds
    python tests/bench/bench.py --data small,large,vm --many --chain 100
    python tests/bench/bench.py --scale 0.02 --rounds 1    # a trial of a minute
    python tests/bench/report.py                           # writes RESULTS.md

In a round each item of work is run by one system after the other before the next item
begins, and the next round begins with another system: compare medians, and ratios
within a round. Each round begins with empty stores; a day of use passes over the data
once a round, for all alike, between the FULL and the INCR. The file system is flushed
before each command; what the command itself left unwritten is flushed and timed after
it. Caches are warm. A command that fails is reported as failed and stops nothing.

Restored trees and stores stay until the end of the run: files made soon after many
others were deleted take several times as long. Of large and vm, whose trees are of few
files, they go at once. At scale 1 the whole needs 60 GB and 6 million inodes below
--work; five rounds of small take half an hour with all peers.

Peers are tar with zstd, restic, borg, dar; those not installed are left out. Each
command adds a line of JSON to the file --out:

    data, scale, run, round, system, item, rc, wall, user, sys (seconds), rss_mib,
    others (share of the machine used by others), sync (seconds to flush what was left),
    stored (bytes below the store), differs (a restored tree against its source)

Lines with `meta` (the machine, the versions) and `census` (the data) stand before.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chain
import machine
import peers
import systems
from rounds import Dataset, Round
from systems import ITEMS, System


def choose(
    names: str, paths: dict[str, str | None]
) -> tuple[list[System], dict[str, str]]:
    """Return the systems to run, and of those left out why.

    names -- parted by commas; `all` is all
    paths -- of restic, borg, dar where they are not to be looked for in PATH
    """
    known = {
        one.name: one
        for one in (
            *(systems.sesam(), systems.sesam_age(), peers.tar(), peers.zstd()),
            peers.restic(paths["restic"] or "restic"),
            peers.borg(paths["borg"] or "borg"),
            peers.dar(paths["dar"] or "dar"),
            systems.limits(),
        )
    }
    chosen, missing = [], {}
    for name in known if names == "all" else names.split(","):
        if name not in known:
            raise SystemExit(f'no system "{name}"; there are: {", ".join(known)}')
        lacks = [one for one in known[name].programs if not shutil.which(one)]
        if lacks:
            missing[name] = f"{Path(lacks[0]).name} is not installed"
            print(f"{name} is left out: {missing[name]}")
        else:
            chosen.append(known[name])
    return chosen, missing


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", default="small", help="of small, large, vm; parted by commas")
    add("--many", action="store_true", help="a million tiny files, too: one round")
    add("--chain", type=int, default=0, metavar="N", help="restore N INCRs on a FULL")
    add("--scale", type=float, default=1.0, help="size of the data; default: 1.0")
    add("--seed", type=int, default=1)
    add("--rounds", type=int, default=5)
    add("--systems", default="all", help="default: all that are installed")
    add("--items", default=",".join(ITEMS), help=f"of {', '.join(ITEMS)}")
    for peer in ("restic", "borg", "dar"):
        add(f"--{peer}", metavar="PROGRAM", help="default: from PATH")
    add("--timeout", type=float, default=3600, help="seconds for one command")
    add("--patience", type=float, default=8, help="seconds to wait for a quiet machine")
    work = Path(tempfile.gettempdir(), "sesam-bench")
    add("--work", type=Path, default=work, help="directory for all of it")
    add("--out", type=Path, help="default: results.jsonl in --work")
    add("--keep", action="store_true", help="leave stores and restored trees")
    given = parser.parse_args()
    given.data = named(given.data, ("small", "large", "vm"))
    given.items = named(given.items, ITEMS)
    given.out = given.out or given.work / "results.jsonl"
    return given


def named(words: str, known: tuple[str, ...]) -> list[str]:
    """Return the words parted by commas, none for an empty text."""
    found = [one for one in words.split(",") if one]
    if unknown := [one for one in found if one not in known]:
        raise SystemExit(f'no "{unknown[0]}"; there are: {", ".join(known)}')
    return found


def writer(out: Path, run: str) -> Callable[[dict[str, Any]], None]:
    """Return what adds a record to the file, and shows it."""

    def write(record: dict[str, Any]) -> None:
        with out.open("a") as file:
            file.write(json.dumps({"run": run, **record}) + "\n")
        if "item" in record:
            print(shown(record), flush=True)

    return write


def shown(record: dict[str, Any]) -> str:
    line = (
        f"{record['data']:6} {record['round']:3} {record['item']:13} "
        f"{record['system']:10} {record['wall']:8.2f} s "
        f"cpu {record['user'] + record['sys']:7.2f} s {record['rss_mib']:6.0f} MiB"
    )
    if "stored" in record:
        line += f" {record['stored'] / 1e6:9.1f} MB stored"
    if record["rc"]:
        line += f" FAILED ({record['rc']})"
    return line + (f" differs: {record['differs']}" if record.get("differs") else "")


def main() -> None:
    given = arguments()
    given.work.mkdir(parents=True, exist_ok=True)
    paths = {peer: getattr(given, peer) for peer in ("restic", "borg", "dar")}
    chosen, missing = choose(given.systems, paths)
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    write = writer(given.out, now)
    facts = machine.facts(given.work)
    versions = {one.name: machine.version(one) for one in chosen}
    notes = {one.name: one.note for one in chosen}
    write({"meta": {**facts, "versions": versions, "notes": notes, "missing": missing}})
    place = given.work / f"run-{now.replace(' ', '-')}"
    try:
        for kind in given.data + ["many"] * given.many:
            data = Dataset(given.work, kind, given.scale, given.seed)
            write({"census": kind, "scale": given.scale, **data.census()})
            some = [one for one in chosen if kind in one.datasets]
            for number in range(1 if kind == "many" else given.rounds):
                Round(given, place, data, some, number, write).run()
        if given.chain:
            chain.run(given, place, write)
    finally:
        if not given.keep and place.exists():
            subprocess.run(["rm", "-rf", place], check=True)


if __name__ == "__main__":
    main()
