"""When a schedule starts: from rule, offset, validity and calendars to instants.

The order is that of sm_schedule(8): the rule counts, the offset moves each of its
dates, validity drops what lies outside, then the calendars decide. Without a rule the
dates of the calendars are moved, and the calendars to avoid decide alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sesam.errors import WrongUsage
from sesam.rules.backup_day import exists, wall_clock
from sesam.rules.rrule import Rule, parse_rule
from sesam.rules.rule_dates import moved, rule_dates
from sesam.rules.schedule import FIRST_DAY, LAST_DAY, NEWDAY, Schedule

# The dates of a calendar, by its name.
DatesOf = Callable[[str], Iterable[date]]
MOST_OFFSET = 366
MOST_LIFE_MINUTES = 366 * 24 * 60
# A rule that gives no date in so many days gives none: leap days that fall on a
# certain weekday are up to 40 years apart.
_SEARCHED_DAYS = 36_525
# A start is at most so many dates after the date it bears: a night that crosses
# midnight, and a date that the zone leaves out.
_LATE_DAYS = 2
_MIDNIGHT = time()


def starts(
    schedule: Schedule,
    zone: ZoneInfo,
    begin: datetime,
    end: datetime,
    dates_of: DatesOf,
) -> Iterator[datetime]:
    """Yield the instants (UTC) from `begin` to before `end` at which it starts.

    In order, none twice, and lazily: what is not asked for is not computed, and what
    lies before `begin` costs nothing. Whether the schedule is switched on is not asked.
    A cycle's starts after midnight bear the date on which that night's cycle began.

    Raises ValueError for naive instants.
    """
    if begin.tzinfo is None or end.tzinfo is None:
        raise ValueError("begin and end must be aware")
    first = moved(_local_day(begin, zone), -_LATE_DAYS)
    latest = None
    for day in start_days(schedule, first, _local_day(end, zone), dates_of):
        for moment in _of_day(schedule, zone, day, begin):
            if moment >= end:
                return
            if moment >= begin and (latest is None or moment > latest):
                latest = moment
                yield moment


def start_days(
    schedule: Schedule, first: date, last: date, dates_of: DatesOf
) -> Iterator[date]:
    """Yield, in order, the dates from `first` to `last` on which a schedule starts."""
    first = max(first, schedule.valid_from or FIRST_DAY)
    last = min(last, schedule.valid_until or LAST_DAY)
    avoided = _dates(schedule.except_calendars, dates_of)
    for day in _unfiltered(schedule, first, last, dates_of):
        if day not in avoided:
            yield day


def _unfiltered(
    schedule: Schedule, first: date, last: date, dates_of: DatesOf
) -> Iterator[date]:
    wanted = _dates(schedule.calendars, dates_of)
    back = -schedule.offset
    text = schedule.effective_rule
    if not text:
        days = (moved(day, schedule.offset) for day in sorted(wanted))
        yield from (day for day in days if first <= day <= last)
        return
    if schedule.calendars:
        # Nothing lies outside of what the calendars name.
        first = max(first, min(wanted, default=LAST_DAY))
        last = min(last, max(wanted, default=FIRST_DAY))
    if first > last:
        return
    window = moved(first, back), moved(last, back)
    for found in rule_dates(parse_rule(text), schedule.anchor, *window):
        day = moved(found, schedule.offset)
        if not schedule.calendars or day in wanted:
            yield day


def _dates(names: Iterable[str], dates_of: DatesOf) -> frozenset[date]:
    return frozenset(day for name in names for day in dates_of(name))


def _of_day(
    schedule: Schedule, zone: ZoneInfo, day: date, begin: datetime
) -> Iterator[datetime]:
    """Yield the starts that bear a date; of a cycle those from about `begin` on."""
    # A day that does not exist begins no backup day.
    if schedule.name == NEWDAY and not exists(day, zone):
        return
    opens = wall_clock(day, schedule.start, zone)
    text = schedule.effective_rule
    rule = parse_rule(text) if text else None
    if rule is None or not rule.is_cycle:
        yield opens
        return
    step = timedelta(minutes=rule.step_minutes)
    closes = _cycle_end(schedule, day, zone)
    moment = opens + max(0, (begin - opens) // step) * step
    while moment < closes:
        yield moment
        moment += step


def _cycle_end(schedule: Schedule, day: date, zone: ZoneInfo) -> datetime:
    ends = schedule.between_end or _MIDNIGHT
    return wall_clock(day if ends > schedule.start else moved(day, 1), ends, zone)


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the date that the zone's clocks show, within what schedules may name."""
    moment = moment.astimezone(UTC)
    if not FIRST_DAY < moment.date() < LAST_DAY:
        return min(max(moment.date(), FIRST_DAY), LAST_DAY)
    return moment.astimezone(zone).date()


def check_schedule(schedule: Schedule) -> None:
    """Refuse what cannot be meant. Raises WrongUsage."""
    text = schedule.effective_rule
    rule = parse_rule(text) if text else None
    if schedule.between_end and not (rule and rule.is_cycle):
        raise WrongUsage(
            "--between is for a cycle of minutes or hours", hint="--every 15min"
        )
    if abs(schedule.offset) > MOST_OFFSET:
        raise WrongUsage(f"--offset {schedule.offset} is more than {MOST_OFFSET} days")
    if not 1 <= schedule.life_time <= MOST_LIFE_MINUTES:
        raise WrongUsage(f"--life-time is 1 to {MOST_LIFE_MINUTES} minutes")
    _check_days(schedule)
    if rule:
        _check_gives_dates(schedule, rule)


def _check_days(schedule: Schedule) -> None:
    first, last = schedule.valid_from, schedule.valid_until
    for option, day in (("--from", first), ("--until", last)):
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise WrongUsage(f"{option} {day} is not from {FIRST_DAY} to {LAST_DAY}")
    if first and last and first > last:
        raise WrongUsage(f"--from {first} lies after --until {last}")
    both = sorted(set(schedule.calendars) & set(schedule.except_calendars))
    if both:
        raise WrongUsage(f'calendar "{both[0]}" is to be kept to and to be avoided')


def _check_gives_dates(schedule: Schedule, rule: Rule) -> None:
    """Refuse a rule that gives no date, whatever the calendars say."""
    first, last = schedule.valid_from or FIRST_DAY, schedule.valid_until or LAST_DAY
    begin, end = moved(first, -schedule.offset), moved(last, -schedule.offset)
    end = min(end, moved(schedule.anchor, _SEARCHED_DAYS * rule.interval))
    # Without its COUNT first: nothing can be counted where there is no date at all.
    for one in (replace(rule, count=0), rule):
        if next(rule_dates(one, schedule.anchor, begin, end), None) is None:
            until = f" to {last}" if schedule.valid_until else ""
            raise WrongUsage(
                f'rule "{schedule.effective_rule}" gives no date from '
                f"{schedule.anchor}{until}",
                hint="look at the rule, --offset, --from and --until",
            )
