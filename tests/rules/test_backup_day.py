from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sesam.rules.backup_day import exists, wall_clock

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_start_that_the_clocks_leave_out_is_the_end_of_the_gap() -> None:
    start = wall_clock(date(2027, 3, 28), time(2, 30), BERLIN)
    assert start == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert start.astimezone(BERLIN).hour == 3


def test_a_start_that_exists_twice_is_the_first() -> None:
    start = wall_clock(date(2027, 10, 31), time(2, 30), BERLIN)
    assert start == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_the_date_that_apia_left_out_does_not_exist() -> None:
    zone = ZoneInfo("Pacific/Apia")
    assert not exists(date(2011, 12, 30), zone)
    assert exists(date(2011, 12, 29), zone)
    assert exists(date(2011, 12, 31), zone)
