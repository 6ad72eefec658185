"""Whether a source can be what it is told to be: asked before a byte of it is read."""

import os
from collections.abc import Sequence
from typing import Protocol

from sesam.crypt.keys import parse_recipient
from sesam.errors import SourceUnreadable, WrongUsage
from sesam.rules.exclude import compile_excludes

TYPES = ("path",)
_SEGMENT_LEAST = 1 << 20


class Definition(Protocol):
    """What a task and the job of a source have in common; the words of Task."""

    @property
    def sources(self) -> tuple[bytes, ...]: ...
    @property
    def type(self) -> str: ...
    @property
    def excludes(self) -> tuple[str, ...]: ...
    @property
    def exclude_if_present(self) -> tuple[str, ...]: ...
    @property
    def recipients(self) -> tuple[str, ...]: ...
    @property
    def zstd_level(self) -> int: ...
    @property
    def segment_bytes(self) -> int: ...


def check_definition(one: Definition) -> None:
    """Raise WrongUsage for what no source can be told."""
    for path in one.sources:
        if not path.startswith(b"/") or b"\0" in path:
            raise WrongUsage(f'the source "{os.fsdecode(path)}" is no absolute path')
    if one.type not in TYPES:
        raise WrongUsage(f'there is no task type "{one.type}"', hint="path")
    if not 1 <= one.zstd_level <= 19:
        raise WrongUsage(f"zstd level {one.zstd_level} is not from 1 to 19")
    if one.segment_bytes < _SEGMENT_LEAST:
        raise WrongUsage("a segment has at least 1M")
    for name in one.exclude_if_present:
        if not name or "/" in name:
            raise WrongUsage(f'"{name}" is no name of a file in a directory')
    compile_excludes(one.excludes)
    for recipient in one.recipients:
        parse_recipient(recipient)


def refuse_absent(sources: Sequence[bytes]) -> None:
    """Raise SourceUnreadable where not one of the sources is there."""
    why = ""
    for path in sources:
        try:
            os.lstat(path)
        except OSError as error:
            why = why or f'"{os.fsdecode(path)}": {error.strerror}'
        else:
            return
    raise SourceUnreadable(f"no source can be read: {why}")
