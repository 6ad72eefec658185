"""The records that rules reason about: what the catalog hands out and takes in.

Frozen, without behaviour; tuples, because each command makes their classes anew and
others take six times as long. Instants are aware UTC datetimes, days are dates, paths
are bytes, sizes are bytes.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sesam.terms import (
    DEFAULT_SEGMENT_BYTES,
    DEFAULT_ZSTD_LEVEL,
    CopyState,
    Level,
    MediumKind,
    Piece,
    State,
)

DEFAULT_BLOCK_BYTES = 256 << 10
DEFAULT_RETENTION_DAYS = 30
DEFAULT_MAX_CHAIN = 100


class Client(NamedTuple):
    """A machine whose data is backed up.

    ssh     -- destination for OpenSSH (`root@web1`, `ssh://u@h:22`); "" = this machine
    program -- directory of the starters there; "" = found by the login's PATH
    """

    name: str
    ssh: str = ""
    program: str = ""
    note: str = ""


class Task(NamedTuple):
    """What is backed up: sources on a client, and how.

    type       -- `path`
    pool       -- media pool of its savesets; "" = the site's default
    recipients -- age public keys; none = not encrypted
    exclude_if_present -- file names: a directory that holds one keeps only that file
    max_chain  -- savesets that may build on a FULL before the next FULL
    full_every -- days after which a FULL is due again; 0 = never by age
    rpo        -- hours within which there is to be a good saveset; 0 = none is watched
    """

    name: str
    client: str
    sources: tuple[bytes, ...]
    type: str = "path"
    excludes: tuple[str, ...] = ()
    exclude_caches: bool = False
    exclude_if_present: tuple[str, ...] = ()
    one_file_system: bool = False
    recipients: tuple[str, ...] = ()
    zstd_level: int = DEFAULT_ZSTD_LEVEL
    segment_bytes: int = DEFAULT_SEGMENT_BYTES
    pool: str = ""
    groups: tuple[str, ...] = ()
    note: str = ""
    max_chain: int = DEFAULT_MAX_CHAIN
    full_every: int = 0
    rpo: int = 0


class TaskGroup(NamedTuple):
    """Tasks that are started together."""

    name: str
    tasks: tuple[str, ...] = ()
    note: str = ""


class DriveGroup(NamedTuple):
    """Drives that do the same work; a media pool writes through one group."""

    name: str
    drives: tuple[str, ...] = ()
    note: str = ""


class Loader(NamedTuple):
    """A tape library: `device` is `iscsi://host:port/iqn/lun` or `scsi:/dev/sgN`."""

    name: str
    device: str
    note: str = ""


class Drive(NamedTuple):
    """What reads and writes media: a tape drive, or the drive of a data store.

    device   -- URL of a tape drive; "" for the drive of a data store
    position -- among the loader's drives, from 0 in element order; -1 without loader
    streams  -- savesets written at once
    """

    name: str
    group: str
    kind: MediumKind
    device: str = ""
    loader: str = ""
    position: int = -1
    store: str = ""
    streams: int = 1
    rds: str = ""


class MediaPool(NamedTuple):
    """Where savesets go and how long they stay.

    block_bytes -- of tapes written for this pool
    """

    name: str
    group: str
    retention_days: int = DEFAULT_RETENTION_DAYS
    spare: bool = False
    from_spare: str = ""
    block_bytes: int = DEFAULT_BLOCK_BYTES
    note: str = ""


class DataStore(NamedTuple):
    """A directory that holds savesets.

    capacity_bytes -- 0 = that of the file system
    high_water, low_water -- percent of the capacity
    rds -- client at whose machine the directory lies; "" = this machine
    """

    name: str
    path: str
    group: str
    capacity_bytes: int = 0
    high_water: int = 95
    low_water: int = 85
    streams: int = 4
    rds: str = ""
    note: str = ""


class Medium(NamedTuple):
    """A labelled tape; a data store counts as one medium of its own name.

    files -- tape files on it, label included: where the next saveset is appended
    """

    label: str
    pool: str
    kind: MediumKind
    barcode: str = ""
    state: str = "ok"
    loader: str = ""
    slot: int = 0
    drive: str = ""
    used_bytes: int = 0
    capacity_bytes: int = 0
    files: int = 0
    full: bool = False
    protected: bool = False
    eol: date | None = None
    savesets: int = 0


class Copy(NamedTuple):
    """One copy of a saveset: pool, EOL and its pieces in the order of writing."""

    id: int
    pool: str
    state: CopyState
    eol: date
    retention_days: int
    written_at: datetime
    media: tuple[str, ...]
    pieces: tuple[Piece, ...] = ()


class Saveset(NamedTuple):
    """What one backup wrote: the container that a restore asks for by name.

    files -- objects of the tree as of then; changed -- those that this saveset holds
    bytes -- content bytes in it, holes not counted; stored_bytes -- of one copy
    manifest_digest -- xxh3-128 of the whole manifest as stored
    """

    name: str
    task: str
    client: str
    level: Level
    state: State
    backup_day: date
    started_at: datetime
    ended_at: datetime
    format: int
    base: str = ""
    files: int = 0
    changed: int = 0
    deleted: int = 0
    bytes: int = 0
    stored_bytes: int = 0
    warnings: int = 0
    recipients: tuple[str, ...] = ()
    source_digest: str = ""
    locked: bool = False
    copies: tuple[Copy, ...] = ()


class Job(NamedTuple):
    """One piece of work with an owner, a lease and an end.

    worker -- owner as text: host id, boot id, pid, start time of the process
    result -- what the finished job reports, as JSON values
    request -- what it was told to do, as JSON values: a restart does it again
    exit_code -- that its command ended with; None until then
    """

    id: int
    type: str
    object: str
    state: State
    priority: int
    backup_day: date
    queued_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    worker: str = ""
    fence: int = 0
    message: str = ""
    log: str = ""
    result: Mapping[str, Any] = MappingProxyType({})
    request: Mapping[str, Any] = MappingProxyType({})
    exit_code: int | None = None


class Waits(NamedTuple):
    """How a queued job waits for a worker to be started.

    closes_at -- when it is too late for that, None = never
    not_before -- when its turn may come at the earliest, None = at once
    message -- why it is there, where that is not plain
    """

    closes_at: datetime | None = None
    not_before: datetime | None = None
    message: str = ""


class Owner(NamedTuple):
    """Who holds a claim: a process that can be told from every other, ever.

    host -- id of the machine (/etc/machine-id) and of the namespace that pid is of;
    boot -- id of its boot
    pid, started -- process id, and its start in clock ticks since the boot
    """

    host: str
    boot: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.host}/{self.boot}/{self.pid}/{self.started}"


class Claim(NamedTuple):
    """The right to hold a thing until `lease_until`.

    thing -- `job:7`, `task:web`, `drive:LTO1`, `medium:LTO00001`
    fence -- grows with every claim of the same thing
    """

    thing: str
    owner: Owner
    fence: int
    lease_until: datetime
