"""Trees to back up, hostile ones among them, and their comparison object by object."""

import os
import random
import stat
from pathlib import Path
from typing import Any


def small_tree(top: Path, files: int = 30) -> Path:
    """Some directories with some files."""
    rng = random.Random(7)
    for number in range(files):
        path = top / f"dir{number % 5}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(number * 700) + b"end of %d\n" % number)
    return top


def hostile_tree(top: Path) -> Path:
    """Any byte in names, links, holes, devices, attributes, odd times and modes."""
    top.mkdir(parents=True)
    raw = os.fsencode(top)
    for name in (
        b"\xff\xfe",
        b"new\nline",
        b"tab\there",
        b"back\\slash",
        b"'\"$`",
        b" ",
    ):
        _write(raw + b"/" + name, b"odd name " + name)
    _write(raw + b"/empty", b"")
    _write(raw + b"/=%=%", b"keyword signs")
    _write(raw + "/größe-日本".encode(), b"unicode")
    _write(raw + b"/" + b"n" * 255, b"longest name")
    _write(raw + b"/big", random.Random(1).randbytes(3 << 20) + b"x" * (2 << 20))
    os.symlink(b"\xffnowhere", raw + b"/dangling")
    os.symlink(b"x" * 900, raw + b"/long-target")
    os.symlink(b"big", raw + b"/to-big")
    os.symlink(b"x", raw + b"/to-x")
    os.symlink(b"x", raw + b"/zzz-last-to-x")
    (top / "links").mkdir()
    _write(raw + b"/links/one", b"linked content")
    for name in (b"links/two", b"links/three", b"zz-four"):
        os.link(raw + b"/links/one", raw + b"/" + name)
    with open(top / "sparse", "wb") as file:
        file.seek(5 << 20)
        file.write(b"in the middle")
        file.truncate(20 << 20)
    with open(top / "all-hole", "wb") as file:
        file.truncate(3 << 20)
    os.mkfifo(top / "fifo")
    deep = top / "deep"
    deep.mkdir()
    fd = os.open(deep, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=fd)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    bottom = os.open("bottom", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd)
    os.write(bottom, b"deeper than PATH_MAX")
    os.close(bottom)
    os.close(fd)
    os.setxattr(top / "big", "user.note", b"\0raw\xff value")
    os.setxattr(top / "empty", "user.a=b%c", b"odd key")
    if os.geteuid() == 0:
        _as_root(top)
    for name, ns in ((b"/empty", 1), (b"/big", 1234567890_123456789), (b"/=%=%", -5)):
        os.utime(raw + name, ns=(ns, ns))
    os.utime(top / "dangling", ns=(7_000000007, 7_000000007), follow_symlinks=False)
    os.chmod(top / "links", 0o2750)
    os.utime(top / "links", ns=(999_000000001, 999_000000001))
    return top


def _as_root(top: Path) -> None:
    os.mknod(top / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(top / "loop", 0o640 | stat.S_IFBLK, os.makedev(7, 250))
    _write(os.fsencode(top / "suid"), b"#!/bin/sh\n")
    os.chown(top / "suid", 12345, 54321)
    os.chmod(top / "suid", 0o4755)
    os.setxattr(top / "suid", "trusted.secret", b"root only")
    # cap_net_raw+ep, as setcap writes it: revision 2, effective.
    capability = b"\x01\x00\x00\x02\x00\x20\x00\x00" + bytes(12)
    _write(os.fsencode(top / "capable"), b"ping")
    os.setxattr(top / "capable", "security.capability", capability)
    acl = (
        b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xe8\x03\0\0"
        b"\x04\0\x04\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff"
        b"\x20\0\0\0\xff\xff\xff\xff"
    )
    _write(os.fsencode(top / "acl"), b"shared")
    os.setxattr(top / "acl", "system.posix_acl_access", acl)
    (top / "acl-dir").mkdir()
    os.setxattr(top / "acl-dir", "system.posix_acl_default", acl)


def _write(path: bytes, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        while content:
            content = content[os.write(fd, content) :]
    finally:
        os.close(fd)


def snapshot(top: Path | bytes) -> dict[bytes, dict[str, Any]]:
    """Return all objects below `top` with everything that a restore brings back."""
    found: dict[bytes, dict[str, Any]] = {}
    inodes: dict[tuple[int, int], bytes] = {}
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    _below(fd, b"", found, inodes)
    found[b""] = _facts(os.fstat(fd), fd, b".")
    os.close(fd)
    return found


def _below(fd: int, prefix: bytes, found: dict, inodes: dict) -> None:
    for name in sorted(os.listdir(f"/proc/self/fd/{fd}".encode())):
        path = prefix + name
        one = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if stat.S_ISSOCK(one.st_mode):
            continue
        facts = _facts(one, fd, name)
        if not stat.S_ISDIR(one.st_mode):
            facts["first"] = inodes.setdefault((one.st_dev, one.st_ino), path)
        found[path] = facts
        if stat.S_ISDIR(one.st_mode):
            below = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
            _below(below, path + b"/", found, inodes)
            os.close(below)


def _facts(one: os.stat_result, fd: int, name: bytes) -> dict[str, Any]:
    at = b"/proc/self/fd/%d/%b" % (fd, name)
    facts: dict[str, Any] = {
        "mode": oct(one.st_mode),
        "uid": one.st_uid,
        "gid": one.st_gid,
        "mtime": one.st_mtime_ns,
    }
    if stat.S_ISLNK(one.st_mode):
        facts["target"] = os.readlink(at)
    elif stat.S_ISREG(one.st_mode):
        inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
        with open(inner, "rb") as file:
            facts["content"] = file.read()
            facts["extents"] = _extents(file.fileno(), one.st_size)
    elif not stat.S_ISDIR(one.st_mode):
        facts["device"] = one.st_rdev
    if not stat.S_ISLNK(one.st_mode):
        keys = sorted(os.listxattr(at, follow_symlinks=False))
        facts["xattrs"] = {k: os.getxattr(at, k, follow_symlinks=False) for k in keys}
    return facts


def _extents(fd: int, size: int) -> list[tuple[int, int]]:
    found, at = [], 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(fd, at, os.SEEK_HOLE)
        found.append((at, end))
        at = end
    return found


def differences(one: dict, other: dict) -> list[str]:
    """Return what differs between two snapshots, nothing where all is equal."""
    found = [f"only in one: {path!r}" for path in sorted(one.keys() ^ other.keys())]
    for path in sorted(one.keys() & other.keys()):
        a, b = one[path], other[path]
        for key in sorted(a.keys() | b.keys()):
            if a.get(key) != b.get(key):
                shown = f"{str(a.get(key))[:60]} != {str(b.get(key))[:60]}"
                found.append(f"{path!r}: {key}: {shown}")
    return found
