"""Simulated years of ticks: each occurrence ends once, whatever happens in between.

The clock is an argument, the catalog a real one, and workers are played: they take
jobs, end them or die by the very calls that a worker makes. `--hypothesis-seed` shows
a failure again.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sesam.catalog import events, jobs, queue, schedules, sheet
from sesam.catalog import site as catalog_site
from sesam.catalog.db import open_catalog
from sesam.catalog.tables import JobRow, OccurrenceRow
from sesam.rules.decision import EventType
from sesam.rules.event import Event
from sesam.rules.recurrence import starts
from sesam.rules.schedule import Schedule
from sesam.service import (
    aftermath,
    clockwatch,
    configure_events,
    due,
    planning,
    repair,
    spawning,
)
from sesam.service.ground import owner
from sesam.service.ground.site import DIRECTORIES, Site
from sesam.terms import State

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEAD = owner.current_owner()._replace(started=0)
OUTCOMES = ("ok", "ok", "warning", "error", "cancelled", "lost", "wait")
FINAL = {
    *("ok", "warning", "error", "cancelled", "suppressed", "blocked", "blocking"),
    *("skipped", "expired", "off"),
}
# Name, start, rule, life time in minutes; and the events on them.
SCHEDULES = (
    ("Daily", "20:00", "FREQ=DAILY", 180),
    ("Weekend", "18:00", "FREQ=WEEKLY;BYDAY=SA,SU", 600),
    ("Monthly", "21:00", "FREQ=MONTHLY;BYMONTHDAY=-1", 600),
    ("Night", "02:30", "FREQ=DAILY", 600),
    ("Often", "06:00", "FREQ=HOURLY;INTERVAL=3", 120),
    ("Holiday", "23:00", "FREQ=MONTHLY;BYMONTHDAY=5", 600),
)
EVENTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("Daily", "Daily", "one", {"fallback": True, "retries": 2, "retry_after": 20}),
    ("Weekend", "Weekend", "one", {"priority": 2, "fallback": True}),
    ("Monthly", "Monthly", "one", {"priority": 3, "retries": 1}),
    ("Holiday", "Holiday", "one", {"priority": 4, "blocking": True}),
    ("Night", "Night", "two", {"retries": 1, "retry_after": 700}),
    ("Often", "Often", "three", {}),
    ("Off", "Often", "two", {"enabled": False, "priority": 9}),
    ("After", "", "four", {"follow": "Daily"}),
    ("AfterThat", "", "five", {"follow": "After", "follow_on": "ok"}),
)


class World:
    """A site, its clock, and what happens to both."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.rng, self.now = site, random.Random(seed), BEGIN
        site.clock = lambda: self.now
        for name, start, rule, life in SCHEDULES:
            at = datetime.strptime(start, "%H:%M").time()  # noqa: DTZ007
            made = Schedule(name, at, rule, life_time=life, since=BEGIN)
            made = replace(made, added=BEGIN.date())
            site.catalog.apply(lambda made=made: schedules.add_schedule(made))
        for name, schedule, program, more in EVENTS:
            one = Event(name, EventType.COMMAND, schedule, command=program, **more)
            configure_events.add_event(site, one)

    def tick(self, *, dies: bool = False) -> None:
        """Tick, but for starting processes; one that dies does half of it."""
        now, _ = clockwatch.ticked(self.site)
        found = events.due(now)
        due.decide(self.site, found[: len(found) // 2] if dies else found, now)
        if not dies:
            repair.settle(self.site)
            aftermath.see_to(self.site)

    def work(self, outcomes: tuple[str, ...]) -> None:
        """Workers take what waits: they end it, die, or have not begun yet."""
        for job, closes_at in queue.waiting(self.now):
            how = self.rng.choice(outcomes)
            if closes_at is not None and closes_at < self.now:
                spawning.expire(self.site, job, self.now)
            elif how != "wait":
                catalog, clock = self.site.catalog, self.site.clock
                mine = jobs.start(catalog, job.id, DEAD, clock=clock, log="")
                if how != "lost":
                    with catalog.change():
                        jobs.finish(mine, State(how), now=self.now, message=how,
                                    result={})  # fmt: skip

    def live(self, days: int) -> None:
        """Let days pass, with outages, crashes, and a clock that is wrong at times."""
        rng, true, end = self.rng, BEGIN, BEGIN + timedelta(days=days)
        while true < end:
            long = rng.random() < 0.02
            true += timedelta(minutes=rng.uniform(0.1, 20 * 1440 if long else 200))
            self.now = true
            if rng.random() < 0.02:
                wrong = timedelta(minutes=rng.uniform(-5000, 90000))
                for _ in range(rng.randint(1, 3)):
                    self.now = max(BEGIN, true + wrong)
                    self.tick(dies=rng.random() < 0.1)
                    self.work(OUTCOMES)
                    true += timedelta(minutes=5)
                self.now = true
            self.tick(dies=rng.random() < 0.1)
            self.work(OUTCOMES)
        for _ in range(200):
            self.now += timedelta(minutes=10)
            self.tick()
            self.work(("ok",))

    def is_whole(self) -> None:
        """Each occurrence until now has ended once, and nothing was started twice."""
        rows = list(sheet.rows(OccurrenceRow.start_at <= self.now - timedelta(days=1)))
        assert {one.state for one in rows} <= FINAL
        end = self.now - timedelta(days=1)
        setup = planning.setup_of(self.site)
        for event in setup.events:
            mine = [one for one in rows if one.event == event.name and one.schedule]
            if not event.schedule:
                continue
            schedule = setup.schedules[event.schedule]
            moments = starts(schedule, setup.zone, BEGIN, end, setup.dates_of)
            wanted, found = set(moments), [one.start_at for one in mine]
            assert len(set(found)) == len(found)
            single = {one.start_at for one in mine if one.first_at is None}
            assert single <= wanted
            assert sum(one.stands_for for one in mine) == len(wanted), event.name
        begun = sheet.rows(OccurrenceRow.job.is_null(False))
        assert JobRow.select().count() == sum(1 + one.attempt for one in begun)
        self.is_followed()

    def is_followed(self) -> None:
        """Each job of a predecessor that ended well was followed once."""
        wanted = Counter(
            f"follows job {one.job} of {one.event}"
            for one in sheet.rows(OccurrenceRow.event.in_(("Daily", "After")))
            if one.state == "ok" or (one.state == "warning" and one.event == "Daily")
        )
        assert Counter(
            one.cause.split(";")[0]
            for one in sheet.rows(OccurrenceRow.event.in_(("After", "AfterThat")))
        ) == wanted  # fmt: skip


@contextmanager
def world(url: str, seed: int) -> Iterator[World]:
    with TemporaryDirectory() as root:
        for name in DIRECTORIES:
            Path(root, name).mkdir(parents=True, exist_ok=True)
        for name in ("one", "two", "three", "four", "five"):
            program = Path(root, "etc/commands.d", name)
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
        Path(root, "etc/commands.d").chmod(0o755)
        catalog = open_catalog(url or f"sqlite:///{root}/catalog.db", create=True)
        try:
            with catalog.change():
                catalog_site.put(catalog_site.ZONE, "Europe/Berlin")
                catalog_site.put(catalog_site.NEWDAY, "08:00")
                catalog_site.add_newday("08:00", BEGIN)
            site = Site(root, catalog, lambda: BEGIN, rehearsing=True)
            yield World(site, seed)
        finally:
            catalog.close()


quietly = settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
seeds = st.integers(0, 1 << 32)


@pytest.mark.parametrize(
    "days", [60, pytest.param(3653, marks=pytest.mark.campaign)], ids=str
)
@quietly
@given(seed=seeds)
def test_each_occurrence_ends_once(days: int, seed: int) -> None:
    with world("", seed) as one:
        one.live(days)
        one.is_whole()


def test_each_occurrence_ends_once_on_postgresql(postgres: Any) -> None:
    with world(postgres.database(), 1) as one:
        one.live(30)
        one.is_whole()


@pytest.mark.parametrize(
    "days", [70, pytest.param(3653, marks=pytest.mark.campaign)], ids=str
)
@settings(quietly, max_examples=1)
@given(seed=seeds)
def test_simulate_is_what_ticks_then_do(days: int, seed: int) -> None:
    with world("", seed) as one:
        first = one.site.backup_day(BEGIN) + timedelta(days=1)
        last = first + timedelta(days=days)
        planned = {
            (row["event"], row["object"], row["start_at"]): (row["state"], row["by"])
            for row in planning.simulate(one.site, first, last)
        }
        end = BEGIN + timedelta(days=days + 4)
        while one.now < end:
            one.now += timedelta(minutes=one.rng.uniform(1, 100))
            one.tick()
            one.work(("ok",))
        done = {
            (row.event, row.object, row.start_at): (row.state, row.by or None)
            for row in sheet.between(first, last)
            if row.schedule
        }
        assert done.keys() == planned.keys()
        for key, (state, by) in planned.items():
            assert done[key] == ("ok" if state == "planned" else state, by), key
