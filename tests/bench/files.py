"""Trees of many small files with all that a file server has in its corners."""

import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

from content import EXTENT, KIB, MIB, Prose

NEWEST_NS = 1_750_000_000 * 10**9
FIVE_YEARS_NS = 5 * 365 * 86400 * 10**9
ENDINGS = (".c", ".conf", ".eml", ".h", ".html", ".json", ".md", ".py", ".txt", "")
ODD_NAMES = [
    os.fsencode(one)
    for one in (
        *("two words.txt", " begins blank", "ends blank ", "-dash", "--option=x"),
        *("two\nlines", "a\ttab", "it's", 'say "hi"', "back\\slash", "*glob?[a-z]"),
        *("äöüß.txt", "日本語.txt", "\U0001f4be", "nfd-a\u0308.txt", "#hash", "~tilde"),
        *("$HOME", "%41", "semi;colon", "pipe|and&", "colon:at@", ".hidden", "..."),
        *("n" * 255, "CON", "\x01\x1b[31m"),
        *("latin1-\udce4\udcf6\udcfc", "\udcff\udcfe\udc80"),
    )
]


def modest(rng: random.Random) -> int:
    """Bytes of a small file: 0 to 16 KiB, median 2.4 KiB, mean 3.7 KiB, 1 % empty."""
    return rng.random() > 0.01 and min(16 * KIB, int(rng.lognormvariate(7.8, 1.0)))


def tiny(rng: random.Random) -> int:
    return rng.randrange(200)


def _word(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 10)))


def _age(path: str | bytes, rng: random.Random) -> None:
    when = NEWEST_NS - rng.randrange(FIVE_YEARS_NS)
    os.utime(path, ns=(when, when), follow_symlinks=False)


def _write(path: str | bytes, data: bytes, rng: random.Random) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(data)
    _age(path, rng)


def _directories(top: Path, count: int, rng: random.Random) -> list[str]:
    """Grow a tree to the depth of nine, new twigs rather near the root."""
    found, depth = [str(top)], [0]
    while len(found) < count:
        at = int(len(found) * rng.random() ** 1.5)
        path = f"{found[at]}/{_word(rng)}{rng.randrange(1000):03}"
        if depth[at] < 9 and not os.path.exists(path):
            os.mkdir(path)
            found.append(path)
            depth.append(depth[at] + 1)
    return found


def tree(
    top: Path,
    count: int,
    rng: random.Random,
    prose: Prose,
    size: Callable[[random.Random], int],
) -> None:
    places = _directories(top, max(20, count // 18), rng)
    files = []
    for number in range(count):
        name = f"{_word(rng)}_{number:06}{rng.choice(ENDINGS)}"
        files.append(f"{rng.choice(places)}/{name}")
        _write(files[-1], prose.take(rng, size(rng)), rng)
        os.chmod(files[-1], rng.choice((0o644, 0o644, 0o600, 0o755, 0o664)))
    _specialities(files, places, rng)
    _odd_corner(os.fsencode(top / "odd"), rng, prose)
    for path in reversed(places):
        _age(path, rng)


def _specialities(files: list[str], places: list[str], rng: random.Random) -> None:
    """Links, extended attributes; as root ACLs, owners, modes too."""
    for number in range(len(files) // 200):
        os.link(rng.choice(files), f"{rng.choice(places)}/hard_{number:06}")
    for number in range(len(files) // 100):
        place = rng.choice(places)
        target = os.path.relpath(rng.choice(files), place)
        os.symlink(target if number % 10 else "to/nowhere", f"{place}/sym_{number:06}")
        _age(f"{place}/sym_{number:06}", rng)
    for path in rng.sample(files, len(files) // 100):
        os.setxattr(path, "user.origin", rng.randbytes(rng.randint(1, 200)))
        os.setxattr(path, "user.tag", _word(rng).encode())
    if os.geteuid() == 0:
        for path in rng.sample(files, len(files) // 500):
            acl = _acl(rng.randint(1000, 60000))
            os.setxattr(path, "system.posix_acl_access", acl)
        for path in rng.sample(files, len(files) // 20):
            os.chown(path, rng.randint(1000, 1050), rng.randint(1000, 1010))
        for path in rng.sample(files, 20):
            os.chmod(path, rng.choice((0o4755, 0o2755, 0o000, 0o400)))


def _acl(uid: int) -> bytes:
    """Owner and `uid` may, the group reads: acl(5) as the kernel keeps it."""
    entries = ((1, 6, -1), (2, 6, uid), (4, 4, -1), (16, 6, -1), (32, 0, -1))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *e) for e in entries)


def _odd_corner(corner: bytes, rng: random.Random, prose: Prose) -> None:
    os.makedirs(corner + b"/empty directory")
    os.mkfifo(corner + b"/fifo")
    for name in ODD_NAMES:
        _write(corner + b"/" + name, prose.take(rng, 300), rng)
    with open(corner + b"/sparse.img", "wb") as file:
        file.truncate(16 * MIB)
        for place in rng.sample(range(256), 16):
            file.seek(place * EXTENT)
            file.write(rng.randbytes(EXTENT))
    for name in (b"/empty directory", b"/fifo", b"/sparse.img", b""):
        _age(corner + name, rng)
