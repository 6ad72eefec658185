"""The versions of the schedule NEWDAY: past backup days stay as they were."""

import json
from datetime import date, time

from sesam.catalog import site
from sesam.errors import CatalogDamaged
from sesam.rules.schedule import DAILY, NEWDAY, Schedule

# A JSON list of {"since", "start", "rule", "offset"}; the setting `newday` is the time
# of the first version, which holds from the beginning.
_VERSIONS = "newday_versions"
_FIRST = "08:00"


def versions() -> list[tuple[date, Schedule]]:
    """Return (first date it holds for, schedule), in order. Raises CatalogDamaged."""
    text = site.get(_VERSIONS, "[]")
    try:
        start = time.fromisoformat(site.get(site.NEWDAY, _FIRST))
        return [
            (date.min, Schedule(NEWDAY, start, DAILY)),
            *(
                (
                    date.fromisoformat(one["since"]),
                    Schedule(
                        NEWDAY,
                        time.fromisoformat(one["start"]),
                        one["rule"],
                        offset=one["offset"],
                    ),
                )
                for one in json.loads(text)
            ),
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogDamaged(f"when NEWDAY is cannot be read: {error}") from error


def add_version(since: date, schedule: Schedule) -> None:
    """Let a version hold from a date on, instead of any that was to come then.

    To be called within `change`.
    """
    known = json.loads(site.get(_VERSIONS, "[]"))
    kept = [one for one in known if one["since"] < since.isoformat()]
    made = {
        "since": since.isoformat(),
        "start": f"{schedule.start:%H:%M}",
        "rule": schedule.effective_rule,
        "offset": schedule.offset,
    }
    site.put(_VERSIONS, json.dumps([*kept, made]))
