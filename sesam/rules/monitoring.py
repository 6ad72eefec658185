"""The site at a glance as monitoring systems read it: Nagios plugins, Prometheus.

Formats: Monitoring Plugins Development Guidelines; Prometheus text format 0.0.4.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

NAGIOS_CODES = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
_SHOWN = 5
Sample = tuple[Mapping[str, str], float]


def nagios(status: Mapping[str, Any]) -> str:
    """Return the one line of a plugin, with performance data.

    >>> nagios({"state": "ok", "problems": [], "backup_day": "2027-03-28",
    ...         "active": 1, "queued": 0, "rpo": [], "failing_notices": 0,
    ...         "stores": []}).partition("|")[0]
    'SESAM OK - backup day 2027-03-28, 1 active, 0 queued '
    """
    texts = [one["text"] for one in status["problems"]]
    if texts:
        more = len(texts) - _SHOWN
        said = "; ".join(texts[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    else:
        said = (
            f"backup day {status['backup_day']}, {status['active']} active,"
            f" {status['queued']} queued"
        )
    return nagios_line(status["state"], said, _performance(status))


def nagios_line(state: str, text: str, performance: str = "") -> str:
    """Return a line of a plugin; what would break its form is replaced."""
    plain = "".join(c if c.isprintable() and c != "|" else " " for c in text)
    return f"SESAM {state.upper()} - {plain}" + (performance and f" | {performance}")


def _performance(status: Mapping[str, Any]) -> str:
    over = sum(one["over"] for one in status["rpo"])
    found = [
        f"active={status['active']}",
        f"queued={status['queued']}",
        f"over_rpo={over}",
        f"failing_notices={status['failing_notices']}",
    ]
    for one in status["stores"]:
        if one["used_percent"] is not None:
            name = one["store"].replace("'", "").replace("=", "")
            found.append(
                f"'{name}'={one['used_percent']}%;{one['high_water']};99;0;100"
            )
    return " ".join(found)


def prometheus(status: Mapping[str, Any]) -> str:
    """Return the metrics of a status as text."""
    lines = []
    for name, help_, samples in _metrics(status):
        if samples:
            lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _metrics(status: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Sample]]]:
    plain: list[tuple[str, str, Any]] = [
        ("status", "0 ok, 1 warning, 2 critical.", NAGIOS_CODES[status["state"]]),
        ("last_tick_timestamp_seconds", "The last tick.", status["last_tick_at"]),
        ("last_newday_timestamp_seconds", "The last newday.", status["last_newday_at"]),
        ("backup_day_start_timestamp_seconds", "Its start.", status["since"]),
        ("deletions_paused", "1 while they are.", int(bool(status["paused"]))),
        ("failing_notices", "Told to nobody so far.", status["failing_notices"]),
    ]
    for name, help_, value in plain:
        yield f"sesam_{name}", help_, [] if value is None else [({}, _number(value))]
    running: list[Sample] = [
        ({"state": one}, status[one]) for one in ("active", "queued")
    ]
    yield "sesam_jobs", "Jobs that have not ended.", running
    decided: list[Sample] = [({"state": k}, v) for k, v in status["decided"].items()]
    yield "sesam_occurrences", "Starts of this backup day by state.", decided
    kinds = Counter(one["kind"] for one in status["alarms"])
    open_: list[Sample] = [({"kind": k}, v) for k, v in kinds.items()]
    yield "sesam_alarms", "Alarms that are not over.", open_
    yield from _of_tasks(status["rpo"])
    yield from _of_stores(status["stores"])


def _of_tasks(
    tasks: list[Mapping[str, Any]],
) -> Iterator[tuple[str, str, list[Sample]]]:
    def samples(key: str, factor: float = 1) -> list[Sample]:
        return [
            ({"task": one["task"]}, _number(one[key]) * factor)
            for one in tasks
            if one[key] is not None
        ]

    name = "sesam_task_last_good_timestamp_seconds"
    yield name, "Start of the newest good saveset.", samples("last_good_at")
    yield "sesam_task_rpo_seconds", "The RPO of a task.", samples("rpo", 3600)
    yield "sesam_task_over_rpo", "1 where it is exceeded.", samples("over")


def _of_stores(
    stores: list[Mapping[str, Any]],
) -> Iterator[tuple[str, str, list[Sample]]]:
    def samples(key: str, factor: float = 1) -> list[Sample]:
        return [
            ({"store": one["store"]}, one[key] * factor)
            for one in stores
            if one[key] is not None
        ]

    there: list[Sample] = [
        ({"store": one["store"]}, int(not one["problem"]))
        for one in stores
        if not one["client"]
    ]
    yield "sesam_store_usable", "1 where the store can be used.", there
    yield "sesam_store_used_bytes", "Used on its file system.", samples("used_bytes")
    yield "sesam_store_size_bytes", "Of its file system.", samples("size_bytes")
    yield "sesam_store_high_water_ratio", "Its mark.", samples("high_water", 0.01)


def _number(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else value


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    parts = (f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + ",".join(parts) + "}"


def _escaped(text: str) -> str:
    r"""Return a label value as the format wants it.

    >>> print(_escaped('a"b\\c'))
    a\"b\\c
    """
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
