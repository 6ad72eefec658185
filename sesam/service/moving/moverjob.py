"""The job of a mover: which saveset it writes, onto what; one JSON object on stdin."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
class MoverJob:
    """What a mover is told. Manifest facts as in saveset.manifest; instants are aware.

    stores -- where it goes, in this order; none where it goes to tape
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
        values["stores"] = tuple(StoreTarget(**one) for one in values["stores"])
        return MoverJob(**values)
    except (ValueError, TypeError, KeyError) as error:
        raise UnknownFormat(f"the job of the mover cannot be read: {error}") from error
