"""A restore out of a chain of many INCRs beside one of a FULL of the same tree."""

import argparse
from pathlib import Path

import systems
from rounds import Dataset, Round, Write

START = "sm_backup start"
RESTORE = 'sm_restore start --task {task} --target "$TARGET"'


def run(given: argparse.Namespace, place: Path, write: Write) -> None:
    """Back a tree up for given.chain days, then restore it both ways in turn.

    Items: link (the INCR of a day, its number is the round), restore_chain and
    restore_full.
    """
    data = Dataset(given.work, "chain", given.scale, given.seed)
    write({"census": "chain", "scale": given.scale, **data.census()})
    ours = systems.sesam()
    commands = {
        "init": f"{ours.commands['init']} && sm_task modify t --max-chain {given.chain}"
        ' && sm_task add whole --source "$DATA"',
        "first": f"{START} t --level FULL",
        "link": f"{START} t --level INCR",
        "whole": f"{START} whole --level FULL",
        "restore_chain": RESTORE.format(task="t"),
        "restore_full": RESTORE.format(task="whole"),
    }
    one = systems.System(ours.name, ours.note, commands, ours.version, ours.env)
    site = Round(given, place, data, [one], 0, write)
    site.place.mkdir(parents=True)
    site.untimed(one, "init")
    site.untimed(one, "first")
    for number in range(given.chain):
        data.next_day()
        site.number = number
        site.timed(one, "link")
    site.untimed(one, "whole")
    for number in range(given.rounds):
        site.number = number
        both = ["restore_chain", "restore_full"]
        for item in both[:: 1 if number % 2 else -1]:
            site.timed(one, item)
