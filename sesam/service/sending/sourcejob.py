"""The job of a source: what to read, how to write it; one JSON object on stdin."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from sesam.digest import hexdigest
from sesam.errors import UnknownFormat
from sesam.terms import DEFAULT_SEGMENT_BYTES, DEFAULT_ZSTD_LEVEL

if TYPE_CHECKING:
    from sesam.rules.records import Task


@dataclass(frozen=True, slots=True)
class SourceJob:
    """What a source is told.

    sources -- absolute paths, raw bytes; own -- directories that are stores of the site
    pass_stores -- data stores are passed over wherever they are: who runs a source from
    the shell knows of no site
    base -- saveset that a DIFF or INCR builds on; "" for FULL and COPY
    base_bytes -- length of its listing, which follows the job on a pipe
    The other fields are those of a Task.
    """

    sources: tuple[bytes, ...]
    client: str = ""
    type: str = "path"
    excludes: tuple[str, ...] = ()
    exclude_caches: bool = False
    exclude_if_present: tuple[str, ...] = ()
    one_file_system: bool = False
    recipients: tuple[str, ...] = ()
    zstd_level: int = DEFAULT_ZSTD_LEVEL
    segment_bytes: int = DEFAULT_SEGMENT_BYTES
    own: tuple[bytes, ...] = ()
    pass_stores: bool = False
    base: str = ""
    base_bytes: int = 0

    def definition(self) -> dict[str, object]:
        """Return the source definition: what, if changed, makes a FULL of the next."""
        return {
            "client": self.client,
            "type": self.type,
            "sources": [_text(path) for path in self.sources],
            "one_file_system": self.one_file_system,
        }

    def definition_digest(self) -> str:
        """Return the digest of the source definition, as in the manifest."""
        return hexdigest(json.dumps(self.definition(), sort_keys=True).encode())


def of_task(task: "Task", own: tuple[bytes, ...]) -> SourceJob:
    """Return the job that backs up a task."""
    shared = {field.name for field in fields(SourceJob)} & set(task._fields)
    return SourceJob(own=own, **{name: getattr(task, name) for name in shared})


def encode(job: SourceJob) -> str:
    """Return the job as one line of JSON."""
    facts = asdict(job)
    for key in ("sources", "own"):
        facts[key] = [base64.b64encode(path).decode() for path in facts[key]]
    return json.dumps(facts)


def decode(line: str) -> SourceJob:
    """Return the job in a line of JSON. Raises UnknownFormat."""
    try:
        facts = json.loads(line)
        return SourceJob(**{key: _value(key, facts) for key in facts})
    except (ValueError, TypeError, RecursionError) as error:
        raise UnknownFormat(f"the job of the source cannot be read: {error}") from error


def _value(key: str, facts: Mapping[str, object]) -> Any:
    value = facts[key]
    if not isinstance(value, list):
        return value
    if key in ("sources", "own"):
        return tuple(base64.b64decode(one, validate=True) for one in value)
    return tuple(value)


def _text(path: bytes) -> str:
    # Bytes that are no UTF-8 stay apart from each other in JSON as \xHH.
    return path.decode("utf-8", "backslashreplace")
