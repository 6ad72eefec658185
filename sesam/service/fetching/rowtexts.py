"""From a line of a listing straight to the JSON that shows it.

A listing has as many lines as the tree has files: what goes for nearly all of them is
made without a record, a dictionary and an encoder between.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_GIGA = 10**9
# Of a line, and of that of a symbolic link.
_TABS = (16, 17)
_DAY = 86400
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]
_SECONDS = [f"{second:02d}" for second in range(60)]


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
        if line.count(b"\t") not in _TABS:
            return None
        path, kind, mode, uid, gid, _, _, size, mtime, *_, holder, _, _ = line.decode(
            "ascii"
        ).split("\t", 16)
        if holder == ".":
            holder = self._name
        elif not self._merged:
            return ""
        stamp = self._stamp(mtime)
        return (
            f'{{"path": "{path}", "type": "{kind}", "size": {size}, "mode": "{mode}",'
            f' "uid": {uid}, "gid": {gid}, "mtime": "{stamp}", "saveset": "{holder}"}}'
        )


def stamper(zone: ZoneInfo) -> Callable[[str], str]:
    """Return what turns the seconds of a listing into an instant in the site's zone.

    As `file_time` does; a day on which the clocks do not change is looked at once.
    """

    @lru_cache(65536)
    def on_day(day: int) -> tuple[int, str, tuple[str, str, str]] | None:
        """Return what goes for a UTC day, None where the clocks change on it.

        The offset from UTC in seconds and as text; the dates that its instants have:
        this day's, the next one's, the one's before.
        """
        try:
            begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
            one, other = (
                moment.astimezone(zone).isoformat()[19:]
                for moment in (begin, begin + timedelta(days=1))
            )
            offset = begin.astimezone(zone).utcoffset()
            this, following, before = (
                f"{begin.date() + timedelta(days=step)}T" for step in (0, 1, -1)
            )
        except OverflowError:
            return None
        if one != other or offset is None:
            return None
        return int(offset.total_seconds()), one, (this, following, before)

    def stamp(text: str) -> str:
        day, rest = divmod(int(text[:-10]), _DAY)
        known = on_day(day) if text[0] != "-" else None
        if known is None:
            return file_time(int(text.replace(".", "")), zone)
        offset, shown, dates = known
        turn, rest = divmod(rest + offset, _DAY)
        minute, second = divmod(rest, 60)
        clock = _MINUTES[minute] + _SECONDS[second]
        return f"{dates[turn]}{clock}{text[-10:]}{shown}"

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
