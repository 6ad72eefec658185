"""The manifest: what a saveset is, written last; without it a saveset is not complete.

A JSON object over several lines, then one line that is the xxh3-128 of all before it.
It is never encrypted and holds no file names. man 5 sesam-saveset, MANIFEST.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sesam.digest import HEX_LENGTH, hexdigest
from sesam.errors import Damaged, UnknownFormat
from sesam.terms import Level, Part, State

NAME = "manifest.json"
FORMAT = 1
SIZE_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one saveset; instants are aware, counts as in rules.records.Saveset.

    parts -- data segments in order, then the listing; not the manifest itself
    pool, retention_days -- of the first copy
    """

    name: str
    site: str
    task: str
    client: str
    level: Level
    base: str
    state: State
    backup_day: date
    started_at: datetime
    ended_at: datetime
    source_digest: str
    recipients: tuple[str, ...]
    pool: str
    retention_days: int
    files: int
    changed: int
    deleted: int
    bytes: int
    skipped: int
    warnings: int
    parts: tuple[Part, ...]
    program: str = ""
    format: int = FORMAT


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as stored."""
    facts = {
        "format": manifest.format,
        "saveset": manifest.name,
        "site": manifest.site,
        "task": manifest.task,
        "client": manifest.client,
        "level": manifest.level.value,
        "base": manifest.base,
        "state": manifest.state.value,
        "backup_day": manifest.backup_day.isoformat(),
        "started_at": manifest.started_at.isoformat(),
        "ended_at": manifest.ended_at.isoformat(),
        "source_digest": manifest.source_digest,
        "recipients": list(manifest.recipients),
        "pool": manifest.pool,
        "retention_days": manifest.retention_days,
        "files": manifest.files,
        "changed": manifest.changed,
        "deleted": manifest.deleted,
        "bytes": manifest.bytes,
        "skipped": manifest.skipped,
        "warnings": manifest.warnings,
        "parts": [
            {"name": part.name, "bytes": part.size_bytes, "xxh3_128": part.digest}
            for part in manifest.parts
        ],
        "program": manifest.program,
        "restore": restore_line(manifest.recipients),
    }
    text = json.dumps(facts, indent=1).encode() + b"\n"
    return text + hexdigest(text).encode() + b"\n"


def restore_line(recipients: Sequence[str]) -> str:
    """Return the shell line that unpacks the saveset in whose directory it is typed."""
    if recipients:
        return "for f in data-*.age; do age -d -i KEY $f; done | zstd -dc | tar x"
    return "cat data-* | zstd -dc | tar x"


def is_sealed(stored: bytes) -> bool:
    """Tell whether these bytes are a manifest that was written to its last line."""
    text, last = stored[: -HEX_LENGTH - 1], stored[-HEX_LENGTH - 1 :]
    return text.startswith(b"{") and last == hexdigest(text).encode() + b"\n"


def decode(stored: bytes) -> Manifest:
    """Return the manifest that these bytes are.

    Raises UnknownFormat when it is none or of a later format, Damaged when its digest
    or a value in it is wrong.
    """
    text = stored[: -HEX_LENGTH - 1]
    if not text.startswith(b"{"):
        raise UnknownFormat("this is no manifest of a saveset")
    if not is_sealed(stored):
        raise Damaged("the manifest's digest is wrong")
    try:
        facts = json.loads(text)
        number = int(facts["format"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnknownFormat("this is no manifest of a saveset") from error
    if not 1 <= number <= FORMAT:
        raise UnknownFormat(
            f"the saveset has format {number}, this program reads 1 to {FORMAT}",
            hint="use a later release",
        )
    try:
        return _manifest(facts)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Damaged(
            f"the manifest lacks a value or has a wrong one: {error}"
        ) from error


def _manifest(facts: Mapping[str, object]) -> Manifest:
    def text(key: str) -> str:
        value = facts[key]
        if not isinstance(value, str):
            raise TypeError(f"{key} is no text")
        return value

    def count(key: str) -> int:
        value = facts[key]
        if not isinstance(value, int) or value < 0:
            raise TypeError(f"{key} is no count")
        return value

    recipients, parts = facts["recipients"], facts["parts"]
    if not isinstance(recipients, list) or not isinstance(parts, list):
        raise TypeError("recipients and parts are lists")
    return Manifest(
        name=text("saveset"),
        site=text("site"),
        task=text("task"),
        client=text("client"),
        level=Level(text("level")),
        base=text("base"),
        state=State(text("state")),
        backup_day=date.fromisoformat(text("backup_day")),
        started_at=datetime.fromisoformat(text("started_at")),
        ended_at=datetime.fromisoformat(text("ended_at")),
        source_digest=text("source_digest"),
        recipients=tuple(map(str, recipients)),
        pool=text("pool"),
        retention_days=count("retention_days"),
        files=count("files"),
        changed=count("changed"),
        deleted=count("deleted"),
        bytes=count("bytes"),
        skipped=count("skipped"),
        warnings=count("warnings"),
        parts=tuple(
            Part(str(one["name"]), int(one["bytes"]), str(one["xxh3_128"]))
            for one in parts
        ),
        program=text("program"),
        format=count("format"),
    )
