"""What a change of an object changed, as the audit keeps it: JSON, old and new."""

import json
from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import Any

# Of a calendar of holidays a few dates say enough.
_SHOWN = 20


def difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> str:
    r"""Return as JSON what differs: key -> [old, new]; "" where nothing does.

    Of what was added or removed all values that say something; of a list that is long
    what came and what went.

    >>> difference({"rpo": 0, "note": ""}, {"rpo": 24, "note": ""})
    '{"rpo": [0, 24]}'
    >>> difference(None, {"rpo": 24, "note": ""})
    '{"rpo": 24}'
    >>> difference(None, {"excludes": ("\udcff",)})
    '{"excludes": ["\\\\udcff"]}'
    """
    if before is None or after is None:
        one = after if before is None else before
        found = {key: _plain(value) for key, value in (one or {}).items() if value}
    else:
        found = {
            key: _changed(before.get(key), value)
            for key, value in after.items()
            if before.get(key) != value
        }
    return json.dumps(found, ensure_ascii=False) if found else ""


def _changed(old: Any, new: Any) -> Any:
    several = isinstance(old, list | tuple) and isinstance(new, list | tuple)
    if several and max(len(old), len(new)) > _SHOWN:
        came = [one for one in new if one not in set(old)]
        went = [one for one in old if one not in set(new)]
        return {"added": _plain(came), "removed": _plain(went)}
    return [_plain(old), _plain(new)]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        some = list(value.items())[:_SHOWN]
        return {str(key): _plain(one) for key, one in some}
    if isinstance(value, list | tuple):
        shown = [_plain(one) for one in value[:_SHOWN]]
        more = len(value) - len(shown)
        return [*shown, f"and {more} more"] if more > 0 else shown
    if isinstance(value, bool | int | float):
        return value
    # What was typed may be no UTF-8; the catalog keeps text.
    return str(value or "").encode("utf-8", "backslashreplace").decode()
