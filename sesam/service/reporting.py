"""What is reported of the past: the audit."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sesam.catalog import audit
from sesam.rules.backup_day import wall_clock
from sesam.service.ground.site import Site

AUDIT_KEYS = ("at", "who", "command", "what", "object", "detail")


def audited(
    site: Site, *, since: date | None, until: date | None, name: str
) -> Iterator[dict[str, Any]]:
    """Yield the audit, oldest first.

    since, until -- instants, or days of the site's zone, which belong to it whole
    name -- of one object alone, "" = of all
    """
    return audit.rows(
        since=_moment(site, since, after=0),
        until=_moment(site, until, after=1),
        name=name,
    )


def _moment(site: Site, given: date | None, *, after: int) -> datetime | None:
    """Return the instant that is meant; after -- days to its end, of a day."""
    if given is None:
        return None
    if isinstance(given, datetime):
        moment = given if given.tzinfo else given.replace(tzinfo=site.zone)
        return moment + timedelta(microseconds=after)
    return wall_clock(given + timedelta(days=after), time(), site.zone)
