"""The plan: which events start when, day by day, and which of them run.

Pure and lazy: a day at a time, so that a year of many events needs no more memory than
its fullest day.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sesam.rules.decision import Decision, EventType, Occurrence, decide
from sesam.rules.event import Event
from sesam.rules.newdays import Newdays
from sesam.rules.recurrence import DatesOf, starts
from sesam.rules.schedule import NEWDAY, Schedule


@dataclass(frozen=True, slots=True)
class Setup:
    """What is configured: what a plan is made of.

    groups -- tasks by the name of their group; newdays -- where backup days begin
    """

    events: Sequence[Event]
    schedules: Mapping[str, Schedule]
    groups: Mapping[str, Sequence[str]]
    zone: ZoneInfo
    newdays: Newdays
    dates_of: DatesOf = field(default=lambda name: ())

    def begin_of(self, day: date) -> datetime:
        """Return the instant at which a backup day begins."""
        return self.newdays.begin(day)

    def end_of(self, day: date) -> datetime:
        """Return the instant at which the next backup day begins."""
        return self.begin_of(self.newdays.following(day))

    def starts(
        self, schedule: Schedule, begin: datetime, end: datetime
    ) -> Iterator[datetime]:
        """Yield the instants from `begin` to before `end` at which it starts.

        NEWDAY's are those of its versions.
        """
        if schedule.name == NEWDAY:
            return self.newdays.starts(begin, end)
        return starts(schedule, self.zone, begin, end, self.dates_of)


class Planned(NamedTuple):
    """One occurrence of a plan; off -- of an event or schedule that is switched off."""

    day: date
    occurrence: Occurrence
    group: str
    level: str
    closes_at: datetime
    off: bool

    @property
    def order(self) -> tuple[datetime, str, str]:
        one = self.occurrence
        return one.start_at, one.event, one.object


def objects_of(event: Event, groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return what an event is for: each task of its group, or its one object."""
    return groups.get(event.group, ()) if event.group else (event.object,)


def plan(
    setup: Setup, first: date, last: date, only: Collection[str] = ()
) -> Iterator[list[Planned]]:
    """Yield the occurrences of each backup day from `first` to `last`, in order.

    only -- events to look at; none = all. Days without any are left out.
    """
    newdays = setup.newdays
    # A date that no backup day bears belongs to the one before it.
    first = first if newdays.has(first) else newdays.following(first)
    if first > last:
        return
    begin, end = setup.begin_of(first), setup.end_of(last)
    hung: dict[str, list[Event]] = defaultdict(list)
    for event in setup.events:
        if event.schedule in setup.schedules and (not only or event.name in only):
            hung[event.schedule].append(event)
    streams = {name: setup.starts(setup.schedules[name], begin, end) for name in hung}
    ahead = {name: next(stream, None) for name, stream in streams.items()}
    day = first
    while day <= last:
        closes = setup.end_of(day)
        found: list[Planned] = []
        for name, stream in streams.items():
            moment = ahead[name]
            while moment is not None and moment < closes:
                for event in hung[name]:
                    found += _of(setup, event, moment, day)
                moment = next(stream, None)
            ahead[name] = moment
        if found:
            yield sorted(found, key=lambda one: one.order)
        day = newdays.following(day)


def _of(setup: Setup, event: Event, moment: datetime, day: date) -> Iterator[Planned]:
    schedule = setup.schedules[event.schedule]
    closes_at = moment + timedelta(minutes=schedule.life_time)
    level = event.level.value if event.level else ""
    off = not (event.enabled and schedule.enabled)
    for name in objects_of(event, setup.groups):
        occurrence = Occurrence(
            event.name,
            event.type,
            name,
            event.schedule,
            moment,
            event.priority,
            event.blocking,
        )
        yield Planned(day, occurrence, event.group, level, closes_at, off)


def decided(
    setup: Setup, day: Iterable[Planned]
) -> Iterator[tuple[Planned, Decision | None]]:
    """Yield the occurrences of one day, each with what becomes of it; None = off."""
    rows = list(day)
    equal: dict[tuple[EventType, str], list[Occurrence]] = defaultdict(list)
    for one in rows:
        if not one.off:
            equal[one.occurrence.key].append(one.occurrence)
    for one in rows:
        if one.off:
            yield one, None
        else:
            of_key = equal[one.occurrence.key]
            yield one, decide(one.occurrence, of_key, setup.zone)
