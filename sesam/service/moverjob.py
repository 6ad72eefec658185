"""The job of a mover: which saveset it writes, onto what; one JSON object on stdin."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sesam.errors import UnknownFormat
from sesam.terms import Level


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """A data store to write into: name in the catalog, directory."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class TapeTarget:
    """A tape to begin with.

    drive, device  -- name in the catalog, URL; changer, position -- the loader's
    device URL and the drive's place in it, "" and -1 without
    label, files   -- of the medium that is loaded; files -- tape files on it
    block_bytes    -- of the pool
    """

    drive: str
    device: str
    label: str
    files: int
    block_bytes: int
    changer: str = ""
    position: int = -1


@dataclass(frozen=True, slots=True)
class MoverJob:
    """What a mover is told. Manifest facts as in saveset.manifest; instants are aware.

    stores or tape -- exactly one of them says where the saveset goes
    """

    saveset: str
    site: str
    task: str
    client: str
    level: Level
    backup_day: date
    started_at: datetime
    pool: str
    retention_days: int
    source_digest: str
    recipients: tuple[str, ...] = ()
    base: str = ""
    program: str = ""
    stores: tuple[StoreTarget, ...] = ()
    tape: TapeTarget | None = None
    identities: tuple[str, ...] = field(default=(), repr=False)

    def with_tape(self, tape: TapeTarget) -> "MoverJob":
        """Return the job for another medium."""
        return replace(self, tape=tape)


def encode(job: MoverJob) -> dict[str, Any]:
    """Return the job as JSON values."""
    facts = asdict(job)
    facts["level"] = job.level.value
    facts["backup_day"] = job.backup_day.isoformat()
    facts["started_at"] = job.started_at.isoformat()
    return json.loads(json.dumps(facts))  # type: ignore[no-any-return]


def decode(facts: Mapping[str, Any]) -> MoverJob:
    """Return the job in JSON values. Raises UnknownFormat."""
    try:
        values = dict(facts)
        values["level"] = Level(values["level"])
        values["backup_day"] = date.fromisoformat(values["backup_day"])
        values["started_at"] = datetime.fromisoformat(values["started_at"])
        values["recipients"] = tuple(values["recipients"])
        values["identities"] = tuple(values["identities"])
        values["stores"] = tuple(StoreTarget(**one) for one in values["stores"])
        if values["tape"] is not None:
            values["tape"] = TapeTarget(**values["tape"])
        return MoverJob(**values)
    except (ValueError, TypeError, KeyError) as error:
        raise UnknownFormat(f"the job of the mover cannot be read: {error}") from error
