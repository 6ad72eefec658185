"""From a line of a listing straight to the JSON that shows it.

A listing has as many lines as the tree has files: what goes for nearly all of them is
made without a record, a dictionary and an encoder between.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_GIGA = 10**9
_DAY = 86400
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]
_SECONDS = [f"{second:02d}" for second in range(60)]
_ROW = (
    '{"path": "%s", "type": "%s", "size": %s, "mode": "%s", "uid": %s, "gid": %s,'
    ' "mtime": "%s", "saveset": "%s"}'
)


class RowTexts:
    """Rows of the files of saveset `name`; merged -- those other savesets hold too."""

    def __init__(self, name: str, zone: ZoneInfo, *, merged: bool) -> None:
        self._name = name
        self._merged = merged
        self._stamp = stamper(zone)

    def text(self, line: bytes) -> str | None:
        """Return the JSON of a line, "" if it is none of these rows.

        None where it holds what JSON would have to escape: then the long way is taken.
        """
        if not line.isascii() or b'"' in line or b"\\" in line:
            return None
        field = line.decode("ascii").split("\t")
        holder = field[14]
        if holder != ".":
            if not self._merged:
                return ""
        else:
            holder = self._name
        return _ROW % (
            field[0],
            field[1],
            field[7],
            field[2],
            field[3],
            field[4],
            self._stamp(field[8]),
            holder,
        )


def stamper(zone: ZoneInfo) -> Callable[[str], str]:
    """Return what turns the seconds of a listing into an instant in the site's zone.

    As `file_time` does; a day on which the clocks do not change is looked at once.
    """

    @lru_cache(65536)
    def on_day(day: int) -> tuple[int, str] | None:
        """Return the offset from UTC on a UTC day, None where it changes."""
        try:
            begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
            one, other = (
                moment.astimezone(zone).isoformat()[19:]
                for moment in (begin, begin + timedelta(days=1))
            )
            offset = begin.astimezone(zone).utcoffset()
        except OverflowError:
            return None
        if one != other or offset is None:
            return None
        return int(offset.total_seconds()), one

    @lru_cache(65536)
    def date_of(day: int) -> str:
        return (date(1970, 1, 1) + timedelta(days=day)).isoformat() + "T"

    def stamp(text: str) -> str:
        seconds = int(text[:-10])
        known = on_day(seconds // _DAY) if text[0] != "-" else None
        if known is None:
            return file_time(int(text.replace(".", "")), zone)
        day, rest = divmod(seconds + known[0], _DAY)
        clock = _MINUTES[rest // 60] + _SECONDS[rest % 60]
        return f"{date_of(day)}{clock}{text[-10:]}{known[1]}"

    return stamp


def file_time(ns: int, zone: ZoneInfo) -> str:
    """Return a file's time in ISO 8601 with nanoseconds, in the site's zone."""
    seconds, fraction = divmod(ns, _GIGA)
    try:
        moment = datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{fraction:09d}"  # beyond what a calendar has
    stamp = moment.replace(microsecond=0).isoformat()
    return f"{stamp[:19]}.{fraction:09d}{stamp[19:]}"
