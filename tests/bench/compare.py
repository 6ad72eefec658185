"""How a restored tree differs from its source: python tests/bench/compare.py ONE OTHER

Prints a JSON object: for each sort of difference how many objects have it.
"""

import filecmp
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator


def objects(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    for base, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(base, name)
            yield os.path.relpath(path, top), os.lstat(path)


def differences(one: bytes, other: bytes) -> Counter[str]:
    left, right = dict(objects(one)), dict(objects(other))
    found = Counter(missing=len(left.keys() - right.keys()))
    found["more"] = len(right.keys() - left.keys())
    names: dict[int, set[int]] = {}
    for path in left.keys() & right.keys():
        a, b = left[path], right[path]
        names.setdefault(a.st_ino, set()).add(b.st_ino)
        found.update(_between(os.path.join(one, path), a, os.path.join(other, path), b))
    found["hard links"] = sum(len(inodes) - 1 for inodes in names.values())
    return +found


def _between(
    one: bytes, a: os.stat_result, other: bytes, b: os.stat_result
) -> Iterator[str]:
    if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
        yield "type"
        return
    if a.st_mode != b.st_mode:
        yield "mode"
    if (a.st_uid, a.st_gid) != (b.st_uid, b.st_gid):
        yield "owner"
    if a.st_mtime_ns // 10**9 != b.st_mtime_ns // 10**9:
        yield "mtime"
    elif a.st_mtime_ns != b.st_mtime_ns:
        yield "mtime below the second"
    if stat.S_ISLNK(a.st_mode):
        if os.readlink(one) != os.readlink(other):
            yield "target"
    elif _attributes(one) != _attributes(other):
        yield "xattrs"
    if stat.S_ISREG(a.st_mode):
        if a.st_size != b.st_size or not filecmp.cmp(one, other, shallow=False):
            yield "content"
        if a.st_blocks * 512 < a.st_size and b.st_blocks > a.st_blocks * 1.05 + 16:
            yield "holes filled"


def _attributes(path: bytes) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


if __name__ == "__main__":
    print(json.dumps(differences(os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]))))
