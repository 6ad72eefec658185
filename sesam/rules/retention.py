"""Retention: until which day a copy is kept."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def eol(written_at: datetime, zone: ZoneInfo, retention_days: int) -> date:
    """Return the EOL: the day of the end of writing in the site's zone + retention.

    The copy is expired when a backup day later than that begins.
    """
    try:
        return written_at.astimezone(zone).date() + timedelta(days=retention_days)
    except OverflowError:
        return date.max
