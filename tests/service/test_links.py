"""Hard links come back as they were, and never as another object's."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from chains import execute
from conftest import Site
from trees import differences, snapshot

from sesam.device.directory import FileBlob
from sesam.digest import hexdigest
from sesam.saveset import frames, listing, seektable
from sesam.saveset.listing import Line
from sesam.saveset.reader import FramedBlob, listing_text
from sesam.service.fetching.links import FirstNames


def line(number: int, **more: object) -> Line:
    facts: dict[str, object] = {
        "path": b"/top/%d" % number, "kind": "f", "mode": 0, "uid": 0, "gid": 0,
        "user": "", "group": "", "size": number, "mtime": number * 7, "ctime": 0,
        "device": 1, "inode": number, "digest": "d", "flags": "h", "saveset": "",
        "segment": 1, "offset": 0,
    }  # fmt: skip
    return Line(**{**facts, **more})  # type: ignore[arg-type]


def test_first_names_are_found_again_however_many_there_are() -> None:
    with FirstNames(in_memory=100) as firsts:
        for number in range(50_000):
            firsts.put(line(number))
        for number in range(0, 50_000, 17):
            assert firsts.get(line(number, path=b"/other")) == b"top/%d" % number
        assert firsts.get(line(50_001)) is None
        # An inode that was used again is another object.
        assert firsts.get(line(5, mtime=1)) is None
        assert firsts.get(line(5, digest="e")) is None
        firsts.put(line(5, path=b"/moved"))
        assert firsts.get(line(5)) == b"moved"


def linked_tree(site: Site, top: Path) -> tuple[Path, str]:
    top.mkdir()
    (top / "a").write_bytes(b"content" * 100)
    for name in ("b", "c", "d"):
        os.link(top / "a", top / name)
    return top, str(site.backup(top)["saveset"])


def test_symlinks_and_fifos_of_several_names_come_back_as_one_object(
    site: Site, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a").symlink_to("nowhere")
    os.mkfifo(source / "c")
    os.link(source / "a", source / "b", follow_symlinks=False)
    os.link(source / "c", source / "d")
    saveset = site.backup(source)["saveset"]
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(source).lstrip("/")
    assert differences(snapshot(source), snapshot(back)) == []


def test_names_link_to_the_first_one_that_was_written(
    site: Site, tmp_path: Path
) -> None:
    source, saveset = linked_tree(site, tmp_path / "source")
    back = tmp_path / "back" / str(source).lstrip("/")
    back.mkdir(parents=True)
    (back / "a").write_text("mine, and it stays")
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    assert (back / "a").read_text() == "mine, and it stays"
    assert len({os.stat(back / name).st_ino for name in "bcd"}) == 1
    assert os.stat(back / "b").st_nlink == 3
    result = site.json("restore start", saveset, "--target", tmp_path / "back")
    assert result["files"] == 0


def test_an_inode_that_was_used_again_is_no_link(site: Site, tmp_path: Path) -> None:
    """A listing can name one inode for two objects: deleted while it was written."""
    _, saveset = linked_tree(site, tmp_path / "source")

    def changed(one: Line) -> Line:
        return one._replace(mtime=one.mtime + 1)

    relisted(site, saveset, b"/source/d", changed)
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(tmp_path / "source").lstrip("/")
    inodes = [os.stat(back / name).st_ino for name in "abcd"]
    assert len(set(inodes)) == 2
    assert inodes[0] == inodes[1] == inodes[2] != inodes[3]


def relisted(
    site: Site, saveset: str, end: bytes, change: Callable[[Line], Line]
) -> None:
    """Change the line of the path that ends so in the server's copy of a listing.

    The catalog takes it for the stored one.
    """
    path = site.root / f"var/lis/{saveset}.listing.zst"
    part = FramedBlob(FileBlob(str(path)), "listing")
    text = b"".join(listing_text(part))
    part.close()
    lines = []
    for raw in text.splitlines():
        if raw.split(b"\t")[0].endswith(end):
            raw = listing.encode(change(listing.decode(raw)))[:-1]
        lines.append(raw + b"\n")
    plain = b"".join(lines)
    frame = frames.compress(plain, 3)
    stored = frame + seektable.encode([(len(frame), len(plain))])
    path.write_bytes(stored)
    same = "UPDATE piece SET digest = ? WHERE part = 'listing.zst'"
    execute(site, same, hexdigest(stored))


@pytest.mark.parametrize(
    "lie",
    [
        {"offset": -512}, {"offset": 1 << 70}, {"segment": -1}, {"segment": 1 << 70},
        {"segment": 0}, {"kind": "d"}, {"kind": "?"}, {"kind": "s"},
        {"saveset": "no-such"}, {"path": b"/../../x"}, {"path": b"/"},
        {"device": -1, "inode": 1 << 80, "size": -5, "flags": "h"},
        {"target": b"a\0b", "uid": 1 << 40, "mtime": 1 << 90},
    ],
)  # fmt: skip
def test_a_line_that_lies_is_reported_and_nothing_else_is_hit(
    site: Site, tmp_path: Path, lie: dict[str, object]
) -> None:
    _, saveset = linked_tree(site, tmp_path / "source")
    (tmp_path / "source/m").write_text("no link")
    (tmp_path / "source/z").write_text("the last one")
    saveset = str(site.backup(tmp_path / "source")["saveset"])
    for name in (b"/source/b", b"/source/m"):
        relisted(site, saveset, name, lambda one: one._replace(**lie))
    words = ("restore start", saveset, "--target", tmp_path / "back")
    site.sm(*words, "--dry-run", code=None)
    assert site.sm(*words, code=None).code in (0, 3)
    back = tmp_path / "back" / str(tmp_path / "source").lstrip("/")
    assert (back / "z").read_text() == "the last one"
    assert {row["state"] for row in site.json("job list")} <= {"ok", "warning"}
