"""An object of a file tree, as a restore brings it back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sesam.terms import Kind


@dataclass(slots=True)
class TreeObject:
    """One object, its path relative to the target of the restore.

    path    -- components joined by `/`, no slash in front; b"" = the target itself
    mode    -- 07777 bits; user, group -- names, "" where none was known
    size    -- of the content, holes counted; mtime_ns -- since the epoch
    device  -- (major, minor) of a device; target -- of a symbolic link
    xattrs  -- ACLs in the kernel's form among them
    extents -- of a sparse file: (offset, length) of its data; None = no holes; may be
               passed over several times
    digest  -- xxh3-128 of the content, "" where it cannot be compared
    """

    path: bytes
    kind: Kind
    mode: int
    uid: int
    gid: int
    user: str
    group: str
    size: int
    mtime_ns: int
    device: tuple[int, int] = (0, 0)
    target: bytes = b""
    xattrs: dict[str, bytes] = field(default_factory=dict)
    extents: Iterable[tuple[int, int]] | None = None
    digest: str = ""

    def without_path(self) -> "TreeObject":
        """Return a copy with an empty path."""
        return TreeObject(
            b"",
            self.kind,
            self.mode,
            self.uid,
            self.gid,
            self.user,
            self.group,
            self.size,
            self.mtime_ns,
            self.device,
            self.target,
            self.xattrs,
            self.extents,
            self.digest,
        )


class Existing(StrEnum):
    """What becomes of an object that stands where another one is to be restored.

    keep      -- it stays, and nothing of it is touched
    overwrite -- it is replaced
    older     -- it is replaced when it is older than what is restored
    rename    -- it gets another name, `NAME.before-N`
    """

    KEEP = "keep"
    OVERWRITE = "overwrite"
    OLDER = "older"
    RENAME = "rename"


class Outcome(StrEnum):
    """What became of an object that was to be restored.

    same -- it was there already, finished: an interrupted restore goes on behind it
    linked -- it was made a further name of an object restored before
    """

    WRITTEN = "written"
    LINKED = "linked"
    KEPT = "kept"
    SAME = "same"
    FAILED = "failed"
