"""When a leap of the clock pauses deletions, and what ends the pause."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesam.rules.clock import AHEAD, BEHIND, REGULAR, Sightings, confirmed, sighted

NOW = datetime(2027, 3, 28, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("step", "paused"),
    [
        (timedelta(), False),
        (timedelta(days=1), False),
        (AHEAD, False),
        (AHEAD + SECOND, True),
        (timedelta(days=4000), True),
        (-BEHIND, False),
        (-BEHIND - SECOND, True),
        (timedelta(days=-4000), True),
    ],
)
def test_a_leap_pauses(step: timedelta, paused: bool) -> None:
    after = sighted(Sightings(NOW), NOW + step, judges_ahead=True)
    assert after.is_paused is paused
    if paused:
        assert after == Sightings(NOW + step, NOW, NOW + step)


def test_the_first_sighting_says_nothing() -> None:
    assert sighted(Sightings(), NOW, judges_ahead=True) == Sightings(NOW)


def test_who_comes_rarely_leaves_a_long_silence_to_the_next_one() -> None:
    late = NOW + timedelta(days=30)
    rarely = sighted(Sightings(NOW), late, judges_ahead=False)
    assert rarely == Sightings(NOW)
    assert sighted(rarely, late, judges_ahead=True).is_paused
    back = sighted(Sightings(NOW), NOW - timedelta(hours=1), judges_ahead=False)
    assert back.is_paused


def test_a_small_step_back_is_not_forgotten() -> None:
    known = Sightings(NOW)
    for _ in range(2):
        known = sighted(known, NOW - BEHIND, judges_ahead=True)
    assert known == Sightings(NOW)


def test_three_days_of_regular_sightings_end_the_pause() -> None:
    known = sighted(Sightings(NOW - timedelta(days=9)), NOW, judges_ahead=True)
    for day in range(1, 3):
        known = sighted(known, NOW + timedelta(days=day), judges_ahead=True)
        assert known.is_paused
    assert not sighted(known, NOW + REGULAR, judges_ahead=True).is_paused


def test_another_leap_begins_the_pause_anew() -> None:
    known = sighted(Sightings(NOW - timedelta(days=9)), NOW, judges_ahead=True)
    again = NOW + timedelta(days=2, hours=12)
    known = sighted(known, again, judges_ahead=False)
    known = sighted(known, again - timedelta(hours=1), judges_ahead=False)
    assert known.leapt_to == again - timedelta(hours=1)
    later = sighted(known, NOW + REGULAR, judges_ahead=False)
    assert later.is_paused


def test_an_admin_ends_it_at_once() -> None:
    assert confirmed(NOW) == Sightings(NOW)


@given(st.lists(st.integers(-100, 100), max_size=30), st.booleans())
def test_without_leaps_there_is_no_pause_and_a_pause_shows_its_leap(
    hours: list[int], judges: bool
) -> None:
    known, now = Sightings(), NOW
    for step in hours:
        now += timedelta(hours=step)
        known = sighted(known, now, judges_ahead=judges)
        if known.is_paused:
            assert known.leapt_from is not None
            assert known.leapt_to is not None
            gap = known.leapt_to - known.leapt_from
            assert gap > AHEAD or gap < -BEHIND
            assert now - known.leapt_to < REGULAR or not judges
    if judges and all(0 <= step <= 72 for step in hours):
        assert not known.is_paused
