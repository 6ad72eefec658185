"""From a line of a listing straight to the JSON that shows it.

A listing has as many lines as the tree has files: what goes for nearly all of them is
made without a record, a dictionary and an encoder between.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_GIGA = 10**9
# Of a line, and of that of a symbolic link.
_FIELDS = (17, 18)
_DAY, _HOUR = 86400, 3600
_HOURS = [f"T{hour:02d}:" for hour in range(24)]
_MOST_DAYS = 4096
_CLOCK = [f"{second // 60:02d}:{second % 60:02d}" for second in range(_HOUR)]


# What goes for a UTC day: seconds by which the site's hours begin earlier; what stands
# before minutes and seconds, hour by hour; the offset from UTC, as shown.
_Day = tuple[int, list[str], str]


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
        self._days: dict[int, _Day | None] = {}

    def stamp(self, text: str) -> str:
        """Return the instant of decimal seconds with nine digits."""
        day, rest = divmod(int(text[:-10]), _DAY)
        try:
            known = self._days[day]
        except KeyError:
            known = self._known(day)
        if known is None or text[0] == "-":
            return file_time(int(text.replace(".", "")), self._zone)
        ahead, hours, shown = known
        hour, rest = divmod(rest + ahead, _HOUR)
        return f"{hours[hour]}{_CLOCK[rest]}{text[-10:]}{shown}"

    def _known(self, day: int) -> _Day | None:
        if len(self._days) >= _MOST_DAYS:
            self._days.clear()
        found = self._days[day] = self._day(day)
        return found

    def _day(self, day: int) -> _Day | None:
        """Return what goes for a UTC day, None where the clocks change on it."""
        try:
            begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
            first, last = (
                moment.astimezone(self._zone)
                for moment in (begin, begin + timedelta(days=1))
            )
            offset = first.utcoffset()
            if offset is None or offset != last.utcoffset():
                return None
            one, other = first.date().isoformat(), last.date().isoformat()
            # One hour more than a day has: the first and the last can be broken.
            hours = [one + hour for hour in _HOURS[first.hour :]]
            hours += [other + hour for hour in _HOURS[: first.hour + 1]]
        except OverflowError:
            return None
        return first.minute * 60 + first.second, hours, first.isoformat()[19:]


def file_time(ns: int, zone: ZoneInfo) -> str:
    """Return a file's time in ISO 8601 with nanoseconds, in the site's zone."""
    seconds, fraction = divmod(ns, _GIGA)
    try:
        moment = datetime.fromtimestamp(seconds, zone)
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{fraction:09d}"  # beyond what a calendar has
    stamp = moment.replace(microsecond=0).isoformat()
    return f"{stamp[:19]}.{fraction:09d}{stamp[19:]}"
