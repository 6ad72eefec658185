"""Schedules and custom calendars on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from sesam.catalog import calendars, schedules, site
from sesam.catalog.db import Catalog, open_catalog
from sesam.catalog.tables import database
from sesam.errors import CatalogDamaged, Conflict, NotFound, Protected, WrongUsage
from sesam.rules.schedule import DAILY, NEWDAY, NEWDAY_SINCE, Calendar, Schedule

NOW = datetime(2026, 11, 24, 15, 0, 0, 123456, tzinfo=UTC)
CHRISTMAS = Calendar(
    "christmas", (date(2026, 12, 24), date(2026, 12, 25)), {"2026-12-24": "Heiligabend"}
)
NIGHT = Schedule(
    "night", time(22, 30), "FREQ=MINUTELY;INTERVAL=15", between_end=time(4),
    valid_from=date(2026, 1, 1), valid_until=date(2999, 12, 31), offset=-2,
    calendars=("zoo", "christmas"), except_calendars=("closed",), life_time=90,
    enabled=False, added=date(2026, 11, 24), since=NOW, note="n",
)  # fmt: skip


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    one = open_catalog(catalog_url, create=True)
    with one.change():
        for calendar in (CHRISTMAS, Calendar("zoo"), Calendar("closed", note="x")):
            calendars.add_calendar(calendar)
    yield one
    one.close()


def test_a_schedule_comes_back_as_it_was_given(catalog: Catalog) -> None:
    plain = Schedule("plain", time(0), added=date(2026, 11, 24), since=NOW)
    with catalog.change():
        schedules.add_schedule(NIGHT)
        schedules.add_schedule(plain)
    assert schedules.get_schedule("night") == NIGHT
    assert schedules.list_schedules() == [NIGHT, plain]


def test_a_change_keeps_the_date_from_which_the_rule_counts(catalog: Catalog) -> None:
    with catalog.change():
        schedules.add_schedule(NIGHT)
    later = replace(NIGHT, added=date(2027, 1, 1), rule="FREQ=HOURLY", calendars=())
    with catalog.change():
        schedules.modify_schedule(later)
    found = schedules.get_schedule("night")
    assert found == replace(later, added=NIGHT.added)
    with pytest.raises(NotFound, match='no schedule "other"'), catalog.change():
        schedules.modify_schedule(replace(NIGHT, name="other"))


def test_names_are_refused_and_nothing_is_left_half_added(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match='no calendar "none"'), catalog.change():
        schedules.add_schedule(replace(NIGHT, calendars=("zoo", "none")))
    assert schedules.list_schedules() == []
    with catalog.change():
        schedules.add_schedule(NIGHT)
    with pytest.raises(Conflict), catalog.change():
        schedules.add_schedule(NIGHT)
    with pytest.raises(WrongUsage), catalog.change():
        schedules.add_schedule(replace(NIGHT, name="a/b"))
    with pytest.raises(Conflict), catalog.change():
        calendars.add_calendar(CHRISTMAS)
    with pytest.raises(NotFound):
        calendars.get_calendar("chrismas")


def test_a_calendar_that_a_schedule_uses_is_not_removed(catalog: Catalog) -> None:
    with catalog.change():
        schedules.add_schedule(NIGHT)
    for name in ("zoo", "closed"):
        with pytest.raises(Protected, match='schedule "night"'), catalog.change():
            calendars.remove_calendar(name)
    with catalog.change():
        schedules.remove_schedule("night")
        calendars.remove_calendar("christmas")
    assert [one.name for one in calendars.list_calendars()] == ["closed", "zoo"]
    left = database.execute_sql("SELECT count(*) FROM calendar_date").fetchone()
    links = database.execute_sql("SELECT count(*) FROM schedule_calendar").fetchone()
    assert (left[0], links[0]) == (0, 0)


def test_a_schedule_that_an_event_follows_is_not_removed(catalog: Catalog) -> None:
    with catalog.change():
        site.add_newday("08:00", NOW)
    newday = schedules.get_schedule(NEWDAY)
    assert newday == Schedule(NEWDAY, time(8), DAILY, added=NEWDAY_SINCE, since=NOW)
    with pytest.raises(Protected, match='event "NEWDAY"'), catalog.change():
        schedules.remove_schedule(NEWDAY)


def test_a_calendar_holds_many_dates_in_order(catalog: Catalog) -> None:
    days = tuple(date.fromordinal(740_000 + n) for n in range(20_000))
    with catalog.change():
        calendars.modify_calendar(Calendar("zoo", days[::-1], note="z"))
    assert calendars.get_calendar("zoo") == Calendar("zoo", days, note="z")
    assert calendars.dates_of("zoo") == list(days)
    assert calendars.get_calendar("christmas") == CHRISTMAS
    with catalog.change():
        calendars.modify_calendar(Calendar("zoo"))
    assert calendars.dates_of("zoo") == []


def test_a_time_that_is_none_is_damage(catalog: Catalog) -> None:
    with catalog.change():
        schedules.add_schedule(NIGHT)
        database.execute_sql("UPDATE schedule SET start = 'noon'")
    with pytest.raises(CatalogDamaged, match="noon"):
        schedules.get_schedule("night")
