"""The systems side by side: what each runs for each item of work, in bash.

The commands see these variables:

    DATA    the tree to save                STATE   a directory for caches and notes
    REPO    the directory of the store      TARGET  an empty directory to restore into
    FILE    the one file to restore         REL     the same, seen from DATA
    NAME    its last component              PEER    the program, where it can be chosen
    BENCH   the directory of this file      OURS    REPO of sesam

A name with a leading `before_` is run before that item, and not timed.
"""

from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parent
BIN = BENCH.parents[1] / "bin"
ITEMS = (
    *("full", "incr", "nochange", "restore_all", "restore_one"),
    *("list", "find", "verify", "start", "start_task"),
)
BIG = ("large", "vm")


@dataclass(frozen=True)
class System:
    name: str
    note: str  # what it compresses, encrypts, leaves out
    commands: dict[str, str]  # by item; `init` too
    version: str
    env: dict[str, str] = field(default_factory=dict)  # @STATE@ stands for STATE
    programs: tuple[str, ...] = ()  # without which it is left out
    datasets: tuple[str, ...] = ("small", "large", "vm")
    whole: bool = True  # what it restores is to be the source as it is


def sesam() -> System:
    start = "sm_backup start t --format json --level"
    commands = {
        "init": 'sm_setup init --zone UTC --store "$REPO/store" && '
        'sm_task add t --source "$DATA"',
        "full": f'{start} FULL > "$STATE/full.json"',
        "incr": f"{start} INCR",
        "nochange": f"{start} INCR",
        "restore_all": 'sm_restore start --task t --target "$TARGET"',
        "restore_one": 'sm_restore start --task t --target "$TARGET" --path "$FILE"',
        "before_list": 'sed -n \'s/.*"saveset": "\\(.*\\)".*/\\1/p\' '
        '"$STATE/full.json" > "$STATE/saveset"',
        "list": 'sm_backup files "$(< "$STATE/saveset")" --format jsonl '
        '> "$TARGET/list"',
        "find": 'sm_backup find "*/$NAME" --task t',
        "verify": "sm_backup verify --task t",
        "start": "sm_backup list",
        "start_task": "sm_task list",
    }
    return System(
        "sesam",
        "zstd 3, no encryption, fsync",
        commands,
        f'sm_backup --version; git -C "{BENCH}" rev-parse --short HEAD',
        {"SESAM_ROOT": "@STATE@/site"},
        datasets=("small", "large", "vm", "many"),
    )


def sesam_age() -> System:
    plain = sesam()
    some = ("full", "incr", "nochange", "restore_all", "restore_one", "verify")
    identity = ' --identity "$SESAM_ROOT/etc/keys/k.txt"'
    commands = {
        item: plain.commands[item]
        + (identity if item.startswith(("restore", "verify")) else "")
        for item in some
    }
    commands["init"] = (
        'sm_setup init --zone UTC --store "$REPO/store" && '
        'KEY=$(sm_setup key add k --format json | grep -o "age1[a-z0-9]*") && '
        'sm_task add t --source "$DATA" --recipient "$KEY"'
    )
    note = "zstd 3, encrypted with age, fsync"
    return System(
        "sesam+age", note, commands, plain.version, plain.env, datasets=("small", *BIG)
    )


def limits() -> System:
    walk = 'find "$DATA" -printf "%p %s %T@ %C@ %i %m\\n" > "$STATE/list"'
    commands = {
        "full": 'find "$DATA" -type f -print0 | xargs -0 cat > /dev/null',
        "incr": walk,
        "nochange": walk,
        "restore_all": 'cp -a "$DATA/." "$TARGET"',
        "restore_one": 'cp -a "$FILE" "$TARGET"',
        "list": 'cat "$STATE/list" > "$TARGET/list"',
        "find": 'grep -F "/$NAME" "$STATE/list"',
        "before_verify": 'python3 "$BENCH/pieces.py" "$OURS/store" "$STATE"',
        "verify": 'printf "%s\\0" "$STATE"/piece-*.zst '
        '| xargs -0 -n 1 -P "$(nproc)" zstd -tq',
        "start": "python3 -c pass",
    }
    note = (
        "what the machine needs: cat of every file; find -printf; cp -a; grep; "
        "zstd -t of sesam's own data, a process for each core; python3 -c pass"
    )
    version = "find --version | head -1"
    return System(
        "limits", note, commands, version, datasets=("small", "large", "vm", "many")
    )
