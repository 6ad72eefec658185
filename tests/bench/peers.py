"""What the peers run for each item of work: see systems.py for the variables."""

from systems import BIG, System


def tar() -> System:
    def save(name: str, base: str = "") -> str:
        known = f'cp "$REPO/{base}.snar" "$REPO/{name}.snar" && ' if base else ""
        return (
            f'{known}tar -C "$DATA" --xattrs --acls --sparse '
            f'--listed-incremental="$REPO/{name}.snar" -cf - . '
            f'| zstd -q -3 -T0 -o "$REPO/{name}.tar.zst"'
        )

    untar = (
        'tar --xattrs --xattrs-include="*" --acls --listed-incremental=/dev/null '
        '-xpf - -C "$TARGET"'
    )
    commands = {
        "full": save("1"),
        "incr": save("2", "1"),
        "nochange": save("3", "2"),
        "restore_all": f'for n in 1 2 3; do zstd -dcq "$REPO/$n.tar.zst" | {untar} '
        "|| exit; done",
        "restore_one": "set +o pipefail; for n in 3 2 1; do "
        'zstd -dcq "$REPO/$n.tar.zst" | tar -xpf - -C "$TARGET" --occurrence=1 '
        '"./$REL" && break; done',
        "list": 'zstd -dcq "$REPO/1.tar.zst" | tar -tf - > "$TARGET/list"',
        "find": 'for n in 1 2 3; do zstd -dcq "$REPO/$n.tar.zst" | tar -tf - '
        '| grep -F "/$NAME" || true; done',
        "verify": 'for n in 1 2 3; do zstd -dcq "$REPO/$n.tar.zst" | tar -tf - '
        "> /dev/null || exit; done",
    }
    note = "`tar | zstd -3 -T0`, incremental by --listed-incremental, no fsync"
    version = "tar --version | head -1; zstd --version | grep -o 'v[0-9.]*'"
    return System("tar+zstd", note, commands, version, programs=("tar", "zstd"))


def zstd() -> System:
    commands = {
        "full": 'zstd -q -3 -T0 "$DATA"/* --output-dir-flat "$REPO"',
        "restore_all": 'zstd -dq "$REPO"/*.zst --output-dir-flat "$TARGET"',
        "verify": 'zstd -tq "$REPO"/*.zst',
    }
    note = "the program alone, file by file, -3 -T0; content only, no fsync"
    version = "zstd --version | grep -o 'v[0-9.]*'"
    return System(
        "zstd",
        note,
        commands,
        version,
        programs=("zstd",),
        datasets=BIG,
        whole=False,
    )


def restic(program: str) -> System:
    call = '"$PEER" -q -r "$REPO"'
    save = f'{call} backup "$DATA"'
    commands = {
        "init": f"{call} init --repository-version 2",
        **dict.fromkeys(("full", "incr", "nochange"), save),
        "restore_all": f'{call} restore latest --target "$TARGET"',
        "restore_one": f'{call} restore latest --target "$TARGET" --include "$FILE"',
        "list": f'{call} ls latest > "$TARGET/list"',
        "find": '"$PEER" -r "$REPO" find "$NAME"',
        "verify": f"{call} check --read-data",
    }
    note = "zstd auto, always encrypted, deduplicated in chunks of 1 MiB"
    env = {
        "PEER": program,
        "RESTIC_PASSWORD": "bench",
        "RESTIC_CACHE_DIR": "@STATE@/cache",
    }
    return System("restic", note, commands, '"$PEER" version', env, (program,))


def borg(program: str) -> System:
    def save(name: str) -> str:
        return f'"$PEER" create -C zstd,3 "$REPO/r::{name}" "$DATA"'

    extract = 'cd "$TARGET" && "$PEER" extract --sparse "$REPO/r::3"'
    commands = {
        "init": '"$PEER" init -e none "$REPO/r"',
        "full": save("1"),
        "incr": save("2"),
        "nochange": save("3"),
        "restore_all": extract,
        "restore_one": f'{extract} "${{FILE#/}}"',
        "list": '"$PEER" list "$REPO/r::3" > "$TARGET/list"',
        "find": 'for n in 1 2 3; do "$PEER" list "$REPO/r::$n" "sh:**/$NAME" '
        "|| exit; done",
        "verify": '"$PEER" check --verify-data "$REPO/r"',
    }
    note = "zstd 3, no encryption, deduplicated in chunks of 2 MiB, one thread"
    env = {
        "PEER": program,
        "BORG_BASE_DIR": "@STATE@",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "BORG_CHECK_I_KNOW_WHAT_I_AM_DOING": "YES",
    }
    return System("borg", note, commands, '"$PEER" --version', env, (program,))


def dar(program: str) -> System:
    def save(name: str, base: str = "") -> str:
        seen = f'-A "$REPO/{base}"' if base else ""
        return (
            f'"$PEER" -c "$REPO/{name}" {seen} -R "$DATA" -zzstd:3 -Q -q && '
            f'dar_manager -Q -B "$REPO/manager" -A "$REPO/{name}"'
        )

    def each(work: str) -> str:
        return f'for n in 1 2 3; do "$PEER" {work} || [ $? = 5 ] || exit; done'

    commands = {
        "init": 'dar_manager -Q -C "$REPO/manager"',
        "full": save("1"),
        "incr": save("2", "1"),
        "nochange": save("3", "2"),
        "restore_all": each('-x "$REPO/$n" -R "$TARGET" -w -Q -q'),
        "restore_one": 'dar_manager -Q -B "$REPO/manager" -e "-R $TARGET -w -Q -q" '
        '-r "$REL"',
        "list": '"$PEER" -l "$REPO/1" -Q -q > "$TARGET/list"',
        "find": 'dar_manager -Q -B "$REPO/manager" -f "$REL"',
        "verify": each('-t "$REPO/$n" -Q -q'),
    }
    note = "zstd 3 file by file, no encryption, one thread, dar_manager catalog"
    version = "\"$PEER\" --version | grep -o 'version [0-9.]*' | head -1"
    env = {"PEER": program}
    return System("dar", note, commands, version, env, (program, "dar_manager"))
