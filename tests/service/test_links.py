"""Hard links come back as they were, and never as another object's."""

import os
from pathlib import Path

from chains import execute
from conftest import Site

from sesam.digest import hexdigest
from sesam.saveset.listing import Line
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
    from sesam.saveset import frames, listing, seektable
    from sesam.saveset.reader import FramedBlob, listing_text
    from sesam.service.fetching.listings import FileBlob

    path = site.root / f"var/lis/{saveset}.listing.zst"
    text = b"".join(listing_text(FramedBlob(FileBlob(str(path)), "listing")))
    changed = []
    for raw in text.splitlines():
        if raw.split(b"\t")[0].endswith(b"/source/d"):
            one = listing.decode(raw)
            raw = listing.encode(one._replace(mtime=one.mtime + 1))[:-1]
        changed.append(raw + b"\n")
    plain = b"".join(changed)
    frame = frames.compress(plain, 3)
    stored = frame + seektable.encode([(len(frame), len(plain))])
    path.write_bytes(stored)
    same = "UPDATE piece SET digest = ? WHERE part = 'listing.zst'"
    execute(site, same, hexdigest(stored))
    site.sm("restore start", saveset, "--target", tmp_path / "back")
    back = tmp_path / "back" / str(tmp_path / "source").lstrip("/")
    inodes = [os.stat(back / name).st_ino for name in "abcd"]
    assert len(set(inodes)) == 2
    assert inodes[0] == inodes[1] == inodes[2] != inodes[3]
