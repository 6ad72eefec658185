"""The field's words as enums and small value types: no I/O, no rules."""

from dataclasses import dataclass
from enum import StrEnum

# What a task says of neither: plain bytes of a segment, and how hard zstd tries.
DEFAULT_SEGMENT_BYTES = 4 << 30
DEFAULT_ZSTD_LEVEL = 3


class Level(StrEnum):
    """How much a saveset holds; its letter opens the saveset's name."""

    FULL = "FULL"
    DIFF = "DIFF"
    INCR = "INCR"
    COPY = "COPY"

    @property
    def letter(self) -> str:
        return self.value[0]


class State(StrEnum):
    """How a job stands, and how the saveset it wrote came out.

    `ok` and `warning` are *good*: a restore and a chain may build on them.
    """

    QUEUED = "queued"
    ACTIVE = "active"
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (State.QUEUED, State.ACTIVE)

    @property
    def is_good(self) -> bool:
        return self in (State.OK, State.WARNING)


BY_BADNESS = (State.OK, State.WARNING, State.CANCELLED, State.ERROR)


def worse(one: State, other: State) -> State:
    """Return the worse of two final states.

    >>> worse(State.WARNING, State.OK), worse(State.CANCELLED, State.ERROR)
    (<State.WARNING: 'warning'>, <State.ERROR: 'error'>)
    """
    return max(one, other, key=BY_BADNESS.index)


class CopyState(StrEnum):
    """State of one copy of a saveset."""

    WRITING = "writing"
    OK = "ok"
    MISSING = "missing"
    DAMAGED = "damaged"
    DELETING = "deleting"


class Kind(StrEnum):
    """What an object of a file tree is: the letter in listings."""

    FILE = "f"
    DIRECTORY = "d"
    SYMLINK = "l"
    FIFO = "p"
    CHARACTER = "c"
    BLOCK = "b"
    SOCKET = "s"


class MediumKind(StrEnum):
    """What holds the bytes."""

    DISK = "disk"
    TAPE = "tape"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one piece lies: in a store by key, or on a medium by tape file and block.

    store, key           -- name of the data store and key in it; "" on tape
    medium, file, block  -- label, number of the tape file from 0 (the label), logical
                            block address of its first block; "" and -1 on disk
    """

    store: str = ""
    key: str = ""
    medium: str = ""
    file: int = -1
    block: int = -1


@dataclass(frozen=True, slots=True)
class Piece:
    """One run of bytes of a part; the pieces of a part, joined, are the part.

    part -- name of the part, as `data-0001.tar.zst`; number -- 1, 2, 3 ... within it
    size_bytes, digest -- of this piece, xxh3-128 in hex
    """

    part: str
    number: int
    place: Place
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a saveset as stored: name, size, xxh3-128 in hex."""

    name: str
    size_bytes: int
    digest: str
