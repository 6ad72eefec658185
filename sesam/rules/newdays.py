"""Where backup days begin: the schedule NEWDAY, kept in versions.

A version holds from a date on, so that a change moves no boundary of the past, and no
backup day bears a name twice. Man 8 sm_newday says what it means.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sesam.errors import WrongUsage
from sesam.rules.backup_day import exists, wall_clock
from sesam.rules.schedule import DAILY, NEWDAY_SINCE, Schedule

_DAY = timedelta(days=1)
# A rule that leaves out more than that would make a day of years.
_MOST_DAYS = 366


class Newdays:
    """The boundaries of backup days.

    versions -- (date from which it holds, schedule), in order; the first holds for all
    dates before as well
    """

    def __init__(
        self, zone: ZoneInfo, versions: Sequence[tuple[date, Schedule]]
    ) -> None:
        self._zone = zone
        self._versions = versions

    def has(self, day: date) -> bool:
        """Tell whether a backup day bears this date."""
        if not exists(day, self._zone):
            return False
        schedule = self._at(day)
        if day < NEWDAY_SINCE or schedule.effective_rule == DAILY:
            return True
        # Loaded for those alone that are not daily: nearly all are.
        from sesam.rules.recurrence import start_days

        return day in start_days(schedule, day, day, _no_dates)

    def begin(self, day: date) -> datetime:
        """Return the instant (UTC) at which the backup day of this date begins."""
        return wall_clock(day, self._at(day).start, self._zone)

    def following(self, day: date) -> date:
        """Return the backup day after a date."""
        day += _DAY
        while not self.has(day):
            day += _DAY
        return day

    def before(self, day: date) -> date:
        """Return the backup day before a date."""
        day -= _DAY
        while not self.has(day):
            day -= _DAY
        return day

    def holding(self, moment: datetime) -> date:
        """Return the backup day that holds an instant."""
        day = moment.astimezone(self._zone).date() + _DAY
        while not self.has(day) or self.begin(day) > moment:
            day -= _DAY
        return day

    def starts(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the instants from `begin` to before `end` at which days begin."""
        day = self.holding(begin)
        while (moment := self.begin(day)) < end:
            if moment >= begin:
                yield moment
            day = self.following(day)

    def _at(self, day: date) -> Schedule:
        found = self._versions[0][1]
        for since, schedule in self._versions[1:]:
            if since > day:
                break
            found = schedule
        return found


def check_newday(schedule: Schedule) -> None:
    """Refuse what cannot divide time into backup days. Raises WrongUsage."""
    from sesam.rules.recurrence import check_schedule, start_days
    from sesam.rules.rrule import parse_rule

    check_schedule(schedule)
    rule = parse_rule(schedule.effective_rule) if schedule.effective_rule else None
    if rule is None or schedule.calendars or schedule.except_calendars:
        raise WrongUsage(
            "NEWDAY goes by no calendar: a later change of it would move past days",
            hint="--weekly mon,tue,wed,thu,fri",
        )
    if rule.is_cycle:
        raise WrongUsage("NEWDAY starts at most once on a date", hint="--start HH:MM")
    if schedule.valid_from or schedule.valid_until or rule.count:
        raise WrongUsage(
            "NEWDAY has no first and no last date: backup days never end",
            hint="a change holds from tomorrow on; leave --from, --until, COUNT out",
        )
    first = NEWDAY_SINCE
    for day in start_days(schedule, first, first + 30 * _MOST_DAYS * _DAY, _no_dates):
        if (day - first).days > _MOST_DAYS:
            break
        first = day
    else:
        return
    raise WrongUsage(f"NEWDAY leaves out more than {_MOST_DAYS} days")


def _no_dates(name: str) -> tuple[date, ...]:
    return ()
