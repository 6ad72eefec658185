"""Objects to restore, and a destination for them."""

import os
from pathlib import Path

from sesam.client.destination import Destination
from sesam.client.objects import Existing, Outcome, TreeObject
from sesam.terms import Kind


def obj(path: bytes, kind: Kind = Kind.FILE, **more: object) -> TreeObject:
    facts = {
        "mode": 0o644, "uid": os.geteuid(), "gid": os.getegid(), "user": "",
        "group": "", "size": 4, "mtime_ns": 5_000000005,
    }  # fmt: skip
    return TreeObject(path=path, kind=kind, **{**facts, **more})  # type: ignore[arg-type]


class Way:
    """A destination with a canary beside it."""

    def __init__(self, top: Path, existing: Existing = Existing.OVERWRITE) -> None:
        self.target = top / "target"
        self.target.mkdir(exist_ok=True)
        self.canary = top / "canary"
        self.canary.mkdir(exist_ok=True)
        (self.canary / "file").write_text("untouched")
        self.before = self.look()
        self.reports: list[tuple[bytes, str]] = []
        self.destination = Destination(
            os.fsencode(self.target),
            existing=existing,
            numeric=False,
            report=lambda path, why: self.reports.append((path, why)),
        )

    def look(self) -> list[tuple[str, int, int]]:
        found = [self.canary, *sorted(self.canary.rglob("*"))]
        return [(str(p), p.lstat().st_mode, p.lstat().st_mtime_ns) for p in found]

    def place(self, one: TreeObject, content: bytes = b"evil") -> Outcome:
        return self.destination.place(one, [content])

    def link(self, one: TreeObject, first: bytes, content: bytes = b"evil") -> Outcome:
        return self.destination.link(one, first, lambda: (one, [content]))

    def end(self) -> None:
        self.destination.close()
        assert self.look() == self.before
        assert (self.canary / "file").read_text() == "untouched"
