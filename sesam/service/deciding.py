"""What becomes of an occurrence that is due, beside the equal ones of its backup day.

Past ones are as the sheet has them, those still to come as they are configured now.
What equal events there are is worked out once for all that is due.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache, cached_property

from sesam.catalog import sheet
from sesam.catalog.sheet import SheetRow
from sesam.rules.consequence import CAME_TO_NOTHING
from sesam.rules.decision import Decision, EventType, Occurrence, Verdict, decide
from sesam.rules.event import Event
from sesam.rules.plan import Setup, objects_of


class Deciding:
    """Decides by one state of the configuration."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.events = {one.name: one for one in setup.events}
        self._moments = cache(self._moments_of)

    def row(self, row: SheetRow) -> SheetRow:
        """Return a row that is due as priority and blocking have it."""
        own = row.occurrence()
        past = sheet.of_key(row.backup_day, own.key)
        day = [
            *(
                one.occurrence()
                for one in past
                # What was off, or started by hand, suppresses nothing.
                if one.schedule and one.state != sheet.OFF
            ),
            *self._still_to_come(row, past),
        ]
        return self._decided(row, [one for one in day if one.event != row.event], past)

    def _decided(
        self, row: SheetRow, day: list[Occurrence], past: list[SheetRow]
    ) -> SheetRow:
        """Return the row as decided; it falls back on what is left where it may."""
        event = self.events.get(row.event)
        falls_back = bool(event and event.fallback)
        left, causes = list(row.left_out), [row.cause] if row.cause else []
        while True:
            own, zone = row.occurrence(), self.setup.zone
            found = decide(own, day, zone, without=left)
            if found.verdict is not Verdict.SUPPRESSED or not falls_back:
                break
            ended = _came_to_nothing(found, past)
            if ended is None:
                break
            left.append(found.by)
            causes.append(f"falls back: {found.by} ended as {ended.state}")
        row = row._replace(left_out=tuple(left), cause="; ".join(causes))
        if found.verdict is Verdict.RUNS:
            return row._replace(state=sheet.PLANNED, reason="", by="", fallback=False)
        return row._replace(
            state=found.verdict.value,
            reason=found.reason,
            by=found.by,
            fallback=falls_back and found.verdict is Verdict.SUPPRESSED,
        )

    def _still_to_come(
        self, row: SheetRow, past: list[SheetRow]
    ) -> Iterator[Occurrence]:
        """Yield the equal occurrences of the row's day that are not in the sheet."""
        known = {(one.event, one.start_at) for one in past}
        for event in self._equal.get((row.type, row.object), ()):
            schedule = self.setup.schedules.get(event.schedule)
            if schedule is None or not (event.enabled and schedule.enabled):
                continue
            since = [one for one in (event.since, schedule.since) if one]
            for moment in self._moments(event.schedule, row.backup_day):
                if (event.name, moment) in known or any(
                    moment < begin for begin in since
                ):
                    continue
                yield row.occurrence()._replace(
                    event=event.name,
                    schedule=event.schedule,
                    start_at=moment,
                    priority=event.priority,
                    blocking=event.blocking,
                    past=False,
                )

    @cached_property
    def _equal(self) -> dict[tuple[EventType, str], list[Event]]:
        found: dict[tuple[EventType, str], list[Event]] = defaultdict(list)
        for event in self.setup.events:
            for name in objects_of(event, self.setup.groups):
                found[event.type, name].append(event)
        return found

    def _moments_of(self, name: str, day: date) -> list[datetime]:
        setup = self.setup
        begin, end = setup.begin_of(day), setup.end_of(day)
        schedule = setup.schedules[name]
        return list(setup.starts(schedule, begin, end))


def _came_to_nothing(by: Decision, past: list[SheetRow]) -> SheetRow | None:
    """Return the row of a suppressor that ended badly, and is not tried once more."""
    for one in past:
        if (one.event, one.start_at) == (by.by, by.by_at) and not one.unseen:
            return one if one.state in CAME_TO_NOTHING else None
    return None
