"""The calendar sheet: one row for an occurrence, whoever posts it, on each engine."""

from datetime import UTC, date, datetime, timedelta

from sesam.catalog import sheet
from sesam.catalog.db import Catalog
from sesam.catalog.sheet import SheetRow
from sesam.rules.decision import EventType

NOON = datetime(2027, 3, 28, 12, tzinfo=UTC)
DAY = date(2027, 3, 28)
ROW = SheetRow(
    *("nightly", EventType.BACKUP, "etc", "", "DAILY", DAY, NOON, None),
    *(1, False, "", sheet.PLANNED),
)


def test_an_occurrence_is_posted_once(catalog: Catalog) -> None:
    with catalog.change():
        number = sheet.post(ROW)
        assert number
        assert sheet.post(ROW._replace(state=sheet.OFF)) == 0
        # Its transaction is whole: others go on in it.
        assert sheet.post(ROW._replace(object="home"))
    found = sheet.of_key(DAY, (EventType.BACKUP, "etc"))
    assert found == [ROW._replace(id=number)]


def test_immediate_starts_of_one_moment_are_rows_of_their_own(catalog: Catalog) -> None:
    for event in ("", "nightly"):
        start = ROW._replace(event=event, schedule="")
        with catalog.change():
            assert len({sheet.post_start(start) for _ in range(3)}) == 3
    rows = sheet.between(DAY, DAY)
    assert len(rows) == 6
    assert {one.start_at - NOON for one in rows if one.event} == {
        timedelta(microseconds=n) for n in range(3)
    }
