"""Settings of the site."""

from datetime import datetime, time

from sesam.catalog.tables import EventRow, ScheduleRow, SiteRow
from sesam.rules.settings import Settings, read, stored

SITE_ID, ZONE, NEWDAY, POOL, CLIENT = "site_id", "zone", "newday", "pool", "client"
# Sightings of the clock as JSON; "yes" or "no" once a tick or newday has run; the last
# newday; the last tick.
CLOCK, REHEARSAL, NEWDAY_RAN = "clock", "rehearsal", "newday_ran_at"
TICKED = "ticked_at"
NEWDAY_EVENT = "NEWDAY"


def get(key: str, default: str = "") -> str:
    """Return a setting of the site."""
    row = SiteRow.get_or_none(SiteRow.key == key)
    return default if row is None else str(row.value)


def put(key: str, value: str) -> None:
    """Change a setting of the site."""
    SiteRow.insert(key=key, value=value).on_conflict(
        conflict_target=[SiteRow.key], update={SiteRow.value: value}
    ).execute()


def settings() -> Settings:
    """Return the settings that an admin changes."""
    names = list(stored(Settings()))
    rows = SiteRow.select().where(SiteRow.key.in_(names))
    return read({row.key: row.value for row in rows})


def put_settings(values: Settings) -> None:
    """Change them; to be called within `change`."""
    for key, value in stored(values).items():
        put(key, value)


def add_newday(start: str, now: datetime) -> None:
    """Add the one schedule and the one event NEWDAY; start -- `HH:MM`."""
    # Once in the life of a site: no other command pays for these.
    from sesam.catalog import schedules
    from sesam.rules.schedule import DAILY, Schedule

    schedules.add_schedule(
        Schedule(NEWDAY_EVENT, time.fromisoformat(start), DAILY, since=now)
    )
    row = ScheduleRow.get(ScheduleRow.name == NEWDAY_EVENT)
    EventRow.create(
        name=NEWDAY_EVENT,
        type="newday",
        schedule=row,
        priority=99,
        enabled=True,
        added_at=now,
        since=now,
        next_at=now,
    )


def newday_is_on() -> bool:
    """Tell whether NEWDAY's event and schedule are switched on."""
    row = EventRow.get_or_none(EventRow.name == NEWDAY_EVENT)
    return bool(row and row.enabled and row.schedule and row.schedule.enabled)
