"""Schedules and custom calendars as records; man 8 sm_schedule says what they mean."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

DEFAULT_LIFE_MINUTES = 600
# The schedule that divides time into backup days; it counts from this Monday.
NEWDAY = "NEWDAY"
NEWDAY_SINCE = date(2000, 1, 3)
# What a schedule without a rule and without calendars does.
DAILY = "FREQ=DAILY"
# Days that a schedule or a calendar may name: every zone and format can show them.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is to start: wall-clock times in the site's zone.

    start   -- time of the day; of a cycle the first start of each day
    rule    -- RRULE (RFC 5545); "" = the dates of `calendars`, daily without those
    between_end -- a cycle ends before this time, of the next day if it is not after
                   `start`; None = midnight
    valid_from, valid_until -- first and last date of a start; the rule counts from the
                   first of them, or from `added`
    offset  -- days by which each date is moved
    calendars, except_calendars -- names; a start's date is in any of these, in none of
                   those
    life_time -- minutes in which a start may still leave the queue
    added   -- date, in the site's zone, on which the schedule was added
    since   -- instant from which it holds as it stands: added, changed, switched on
    """

    name: str
    start: time
    rule: str = ""
    between_end: time | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    offset: int = 0
    calendars: tuple[str, ...] = ()
    except_calendars: tuple[str, ...] = ()
    life_time: int = DEFAULT_LIFE_MINUTES
    enabled: bool = True
    added: date = NEWDAY_SINCE
    since: datetime | None = None
    note: str = ""

    @property
    def anchor(self) -> date:
        """The date from which the rule counts."""
        return self.valid_from or self.added

    @property
    def effective_rule(self) -> str:
        """The rule that gives the dates; "" where the calendars do."""
        return self.rule or ("" if self.calendars else DAILY)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A custom calendar: days by name, in order.

    summaries -- what a day is called, by its date as YYYY-MM-DD; not every day is
    """

    name: str
    dates: tuple[date, ...] = ()
    summaries: dict[str, str] = field(default_factory=dict)
    note: str = ""
