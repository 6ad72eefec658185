"""From a line of a listing straight to the JSON that shows it.

A listing has as many lines as the tree has files: what goes for nearly all of them is
made without a record, a dictionary and an encoder between.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_GIGA = 10**9
# Of a line, and of that of a symbolic link.
_FIELDS = (17, 18)
_HOUR = 3600
_MOST_HOURS = 1 << 17
_CLOCK = [f"{second // 60:02d}:{second % 60:02d}" for second in range(_HOUR)]


class RowTexts:
    """Rows of the files of saveset `name`; merged -- those other savesets hold too."""

    def __init__(self, name: str, zone: ZoneInfo, *, merged: bool) -> None:
        self._name = name
        self._merged = merged
        self._stamp = Stamps(zone).stamp

    def text(self, line: bytes) -> str | None:
        """Return the JSON of a line, "" if it is none of these rows.

        None where it holds what JSON would have to escape: then the long way is taken.
        """
        if not line.isascii() or b'"' in line or b"\\" in line:
            return None
        of = line.decode("ascii").split("\t")
        if len(of) not in _FIELDS:
            return None
        holder = of[14]
        if holder == ".":
            holder = self._name
        elif not self._merged:
            return ""
        # By place: giving each field a name takes a quarter of the time.
        return (
            f'{{"path": "{of[0]}", "type": "{of[1]}", "size": {of[7]},'
            f' "mode": "{of[2]}", "uid": {of[3]}, "gid": {of[4]},'
            f' "mtime": "{self._stamp(of[8])}", "saveset": "{holder}"}}'
        )


class Stamps:
    """Turns the seconds of a listing into instants in the site's zone.

    As `file_time` does; a day on which the clocks do not change is looked at once.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._on_day = lru_cache(65536)(self._day)
        self._hours: dict[int, tuple[str, str, int, str] | None] = {}

    def stamp(self, text: str) -> str:
        """Return the instant of decimal seconds with nine digits."""
        hour, rest = divmod(int(text[:-10]), _HOUR)
        try:
            known = self._hours[hour]
        except KeyError:
            known = self._on_hour(hour)
        if known is None or text[0] == "-":
            return file_time(int(text.replace(".", "")), self._zone)
        begin, shown, shift, later = known
        if shift:
            rest += shift
            if rest >= _HOUR:
                begin, rest = later, rest - _HOUR
        return f"{begin}{_CLOCK[rest]}{text[-10:]}{shown}"

    def _on_hour(self, hour: int) -> tuple[str, str, int, str] | None:
        """Return what goes for a UTC hour, None where it is on no such day.

        What stands before and behind minutes and seconds; the seconds by which the
        site's hours begin earlier, and what stands before those of the next hour.
        """
        day, rest = divmod(hour, 24)
        on_day, found = self._on_day(day), None
        if on_day is not None:
            offset, shown, dates = on_day
            ahead, shift = divmod(offset, _HOUR)
            begin, later = (
                f"{dates[turn]}{clock:02d}:"
                for turn, clock in (divmod(rest + ahead + step, 24) for step in (0, 1))
            )
            found = begin, shown, shift, later
        if len(self._hours) > _MOST_HOURS:
            self._hours.clear()
        self._hours[hour] = found
        return found

    def _day(self, day: int) -> tuple[int, str, tuple[str, str, str]] | None:
        """Return what goes for a UTC day, None where the clocks change on it.

        The offset from UTC in seconds and as text; the dates that its instants have:
        this day's, the next one's, the one's before.
        """
        try:
            begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
            one, other = (
                moment.astimezone(self._zone).isoformat()[19:]
                for moment in (begin, begin + timedelta(days=1))
            )
            offset = begin.astimezone(self._zone).utcoffset()
            this, following, before = (
                f"{begin.date() + timedelta(days=step)}T" for step in (0, 1, -1)
            )
        except OverflowError:
            return None
        if one != other or offset is None:
            return None
        return int(offset.total_seconds()), one, (this, following, before)


def file_time(ns: int, zone: ZoneInfo) -> str:
    """Return a file's time in ISO 8601 with nanoseconds, in the site's zone."""
    seconds, fraction = divmod(ns, _GIGA)
    try:
        moment = datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{fraction:09d}"  # beyond what a calendar has
    stamp = moment.replace(microsecond=0).isoformat()
    return f"{stamp[:19]}.{fraction:09d}{stamp[19:]}"
