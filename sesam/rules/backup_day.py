"""Wall-clock starts: what the clocks of a zone show, as instants."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def wall_clock(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which the zone's clocks show `at` on `day`.

    A time that exists twice is the first of the two; one that the clocks leave out is
    the first instant after the gap: 02:30 becomes 03:00, not 03:30.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _gap_end(moment, zone)


def _gap_end(within: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clocks go forward, near a time they leave out."""
    early, late = within - _DAY, within + _DAY
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def exists(day: date, zone: ZoneInfo) -> bool:
    """Tell whether the zone has this date: Apia left 2011-12-30 out."""
    noon = datetime.combine(day, time(12), tzinfo=zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day
