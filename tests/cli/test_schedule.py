"""sm_schedule and sm_schedule calendar, through real processes."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import icalendar
import pytest
from conftest import Site

NOW = "2026-11-24T15:00:00+01:00"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A rehearsal site in Berlin: it is Tuesday, 24 November 2026, 15:00."""
    made = Site(tmp_path / "site", {"SESAM_NOW": NOW})
    made.sm("setup init", "--zone", "Europe/Berlin")
    return made


def starts(site: Site, name: str, *options: object) -> list[str]:
    rows = site.json("schedule preview", name, *options)
    return [row["start_at"] for row in rows]


FORMS = [
    (("--start", "20:00"), "FREQ=DAILY", "daily at 20:00", "2026-11-24T20:00:00+01:00"),
    (("--start", "8:00"), "FREQ=DAILY", "daily at 08:00", "2026-11-25T08:00:00+01:00"),
    (("--start", "20:00", "--rrule", "RRULE:FREQ=WEEKLY;BYDAY=SA,SU"),
     "FREQ=WEEKLY;BYDAY=SA,SU", "weekly on Saturday and Sunday at 20:00",
     "2026-11-28T20:00:00+01:00"),
    (("--start", "20:00", "--once", "2026-12-24"), "FREQ=DAILY;COUNT=1",
     "once on 2026-12-24 at 20:00", "2026-12-24T20:00:00+01:00"),
    (("--every", "15min", "--between", "08:00-18:00"), "FREQ=MINUTELY;INTERVAL=15",
     "every 15 minutes from 08:00 to 18:00", "2026-11-24T15:15:00+01:00"),
    (("--every", "2h", "--between", "00:00-24:00"), "FREQ=HOURLY;INTERVAL=2",
     "every 2 hours from 00:00 to midnight", "2026-11-24T16:00:00+01:00"),
    (("--start", "20:00", "--every", "3d"), "FREQ=DAILY;INTERVAL=3",
     "every 3 days at 20:00", "2026-11-24T20:00:00+01:00"),
    (("--start", "20:00", "--every", "2w", "--weekly", "sat"),
     "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "every 2 weeks on Saturday at 20:00",
     "2026-11-28T20:00:00+01:00"),
    (("--start", "18:00", "--weekly", "sat,sun"), "FREQ=WEEKLY;BYDAY=SA,SU",
     "weekly on Saturday and Sunday at 18:00", "2026-11-28T18:00:00+01:00"),
    (("--start", "21:00", "--monthly", "-1"), "FREQ=MONTHLY;BYMONTHDAY=-1",
     "monthly on the last day at 21:00", "2026-11-30T21:00:00+01:00"),
    (("--start", "21:00", "--monthly", "last-fri", "--offset", "-1"),
     "FREQ=MONTHLY;BYDAY=-1FR",
     "monthly on the last Friday at 21:00, moved by -1 day",
     "2026-11-26T21:00:00+01:00"),
    (("--start", "21:00", "--yearly", "last-sun-mar"),
     "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
     "yearly on the last Sunday of March at 21:00", "2027-03-28T21:00:00+02:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "rule", "words", "first"), FORMS, ids=[" ".join(o[0]) for o in FORMS]
)
def test_each_form_is_a_rule_and_words_and_starts(
    site: Site, options: tuple[str, ...], rule: str, words: str, first: str
) -> None:
    made = site.json("schedule add", "one", *options)
    assert made == site.json("schedule show", "one")
    assert (made["rule"], made["words"], made["enabled"]) == (rule, words, True)
    assert made["added"] == "2026-11-24"
    found = site.json("schedule preview", "one", "--next", "1")
    assert found == [{"start_at": first, "backup_day": first[:10]}]


REFUSED = [
    (("add", "x"), 2, "no start"),
    (("add", "x", "--start", "25:00"), 2, "no time of the day"),
    (("add", "x", "--start", "20"), 2, "no time of the day"),
    (("add", "x", "--start", "24:00"), 2, "no time of the day"),
    (("add", "x", "--every", "1h", "--between", "8-18"), 2, "no time of the day"),
    (("add", "x", "--every", "1h", "--between", "08:00"), 2, "HH:MM-HH:MM"),
    (("add", "x", "--start", "20:00", "--weekly", "sat", "--monthly", "1"), 2, "two"),
    (("add", "x", "--start", "20:00", "--monthly", "32"), 2, "no day of a month"),
    (("add", "x", "--start", "20:00", "--rrule", "FREQ=SECONDLY"), 2, "SECONDLY"),
    (("add", "x", "--start", "20:00", "--rrule", "FREQ=DAILY;UNTIL=20270101"), 2,
     "--until"),
    (("add", "x", "--start", "20:00", "--rrule", "FREQ=DAILY;BYHOUR=8"), 2, "--start"),
    (("add", "x", "--start", "20:00", "--rrule",
      "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"), 2, "no date"),
    (("add", "x", "--start", "20:00", "--once", "tomorrow"), 2, "no day"),
    (("add", "x", "--start", "20:00", "--life-time", "0"), 2, "--life-time"),
    (("add", "x", "--start", "20:00", "--offset", "1000"), 2, "--offset"),
    (("add", "x", "--start", "20:00", "--from", "2027-02-01", "--until",
      "2027-01-01"), 2, "after"),
    (("add", "x", "--start", "20:00", "--calendar", "none"), 10, 'no calendar "none"'),
    (("add", "x", "--start", "20:00", "--except-calendar", "none"), 10, "none"),
    (("add", "NEWDAY", "--start", "20:00"), 11, "exists already"),
    (("add", "a/b", "--start", "20:00"), 2, "cannot be the name"),
    (("show", "none"), 10, 'no schedule "none"'),
    (("modify", "none", "--start", "20:00"), 10, "none"),
    (("on", "none"), 10, "none"),
    (("off", "none"), 10, "none"),
    (("preview", "none"), 10, "none"),
    (("preview", "NEWDAY", "--from", "2027-02-01", "--until", "2027-01-01"), 2,
     "after"),
    (("preview", "NEWDAY", "--from", "1969-02-01"), 2, "1969-02-01"),
    (("preview", "NEWDAY", "--next", "0"), 2, "--next"),
    (("modify", "NEWDAY", "--every", "15min"), 2, "at most once"),
    (("modify", "NEWDAY", "--from", "2027-01-01"), 2, "no first"),
    (("modify", "NEWDAY", "--rrule", "FREQ=YEARLY;INTERVAL=4"), 2, "leaves out"),
    (("off", "NEWDAY"), 12, "backup days"),
    (("remove", "NEWDAY"), 12, "backup days"),
    (("calendar", "add", "x", "--date", "soon"), 2, "no day"),
    (("calendar", "add", "x", "--date", "1066-10-14"), 2, "1066-10-14"),
    (("calendar", "add", "x", "--years", "2027"), 2, "--holidays"),
    (("calendar", "add", "x", "--holidays", "XX"), 2, "no holidays"),
    (("calendar", "add", "x", "--holidays", "DE", "--years", "27"), 2, "no year"),
    (("calendar", "show", "none"), 10, 'no calendar "none"'),
    (("calendar", "export", "none"), 10, 'no calendar "none"'),
    (("calendar", "remove", "none"), 10, 'no calendar "none"'),
    (("calendar", "import", "x", "/nowhere.ics"), 2, "No such file"),
    (("calendar", "import", "x", "/etc/passwd"), 2, "no calendar"),
]  # fmt: skip


def test_what_is_refused_is_said_in_a_sentence_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "site", {"SESAM_NOW": NOW, "SESAM_FORMAT": "json"})
    site.sm("setup init", "--zone", "Europe/Berlin")
    for words, code, why in REFUSED:
        deep = 2 if words[0] == "calendar" else 1
        program = " ".join(("schedule", *words[:deep]))
        done = site.sm(program, *words[deep:], code=code)
        said = f"{done.error['message']} {done.error['hint']}"
        assert why in said, (words, said)
        assert done.out == ""
    assert [row["name"] for row in site.json("schedule list")] == ["NEWDAY"]
    assert site.json("schedule calendar list") == []


def test_a_schedule_is_changed_switched_and_removed(site: Site) -> None:
    add = ("schedule add", "shop", "--every", "1h", "--between", "08:00-18:00")
    made = site.json(*add, "--until", "2027-12-31", "--off", "--note", "n")
    assert (made["enabled"], made["between"]) == (False, "08:00-18:00")
    assert "is off" in site.sm("schedule preview", "shop").err
    on = site.json("schedule on", "shop")
    assert (on["enabled"], on["note"], on["until"]) == (True, "n", "2027-12-31")
    assert site.json("schedule off", "shop")["enabled"] is False
    changed = site.json("schedule modify", "shop", "--monthly", "last-fri",
                        "--no-until", "--life-time", "30")  # fmt: skip
    assert changed["rule"] == "FREQ=MONTHLY;BYDAY=-1FR"
    assert (changed["between"], changed["until"]) == ("", None)
    assert (changed["start"], changed["life_time"]) == ("08:00", 30)
    plain = site.json("schedule modify", "shop", "--no-rule")
    assert plain["words"] == "daily at 08:00"
    assert site.json("schedule remove", "shop", "--dry-run") == plain
    assert site.json("schedule remove", "shop", "--yes") == plain
    assert len(site.json("schedule list")) == 1


def test_a_change_holds_from_now_on_and_a_note_changes_nothing(site: Site) -> None:
    made = site.json("schedule add", "one", "--start", "20:00", "--every", "3d")
    later = Site(site.root, {"SESAM_NOW": "2026-11-26T12:00:00+01:00"})
    noted = later.json("schedule modify", "one", "--note", "n", "--life-time", "5")
    assert noted["since"] == made["since"]
    changed = later.json("schedule modify", "one", "--start", "21:00")
    assert (changed["since"][:10], changed["added"]) == ("2026-11-26", "2026-11-24")
    # It counts from the day on which it was added, whatever was changed since.
    assert starts(later, "one", "--next", "1") == ["2026-11-27T21:00:00+01:00"]


def test_what_a_preview_shows(site: Site) -> None:
    site.sm("schedule add", "one", "--start", "02:30")
    assert len(starts(site, "one")) == 10
    spring = starts(site, "one", "--from", "2027-03-27", "--until", "2027-03-29")
    assert spring == ["2027-03-27T02:30:00+01:00", "2027-03-28T03:00:00+02:00",
                      "2027-03-29T02:30:00+02:00"]  # fmt: skip
    autumn = site.json("schedule preview", "one", "--from", "2027-10-31", "--next", 2)
    assert autumn == [
        {"start_at": "2027-10-31T02:30:00+02:00", "backup_day": "2027-10-30"},
        {"start_at": "2027-11-01T02:30:00+01:00", "backup_day": "2027-10-31"},
    ]
    year = starts(site, "one", "--from", "2027-01-01", "--until", "2027-12-31")
    assert len(year) == 365
    table = site.sm("schedule preview", "one", "--next", "1").out.splitlines()
    assert table == ["start                backup day",
                     "2026-11-25 02:30:00  2026-11-24"]  # fmt: skip
    lines = site.sm("schedule preview", "one", "--next", "2", "--format", "jsonl").out
    assert [json.loads(line) for line in lines.splitlines()][1]["backup_day"] == (
        "2026-11-25"
    )


def test_a_schedule_that_never_starts_again_says_so(site: Site) -> None:
    done = site.sm("schedule add", "old", "--start", "20:00", "--once", "2020-01-01")
    assert done.err.endswith('note: schedule "old" has no start ahead\n')
    assert starts(site, "old") == []
    empty = site.sm("schedule preview", "old", "--format", "csv").out
    assert empty == "start_at,backup_day\n"


def test_lists_have_the_four_forms(site: Site) -> None:
    site.sm("schedule calendar add", "closing", "--date", "2026-12-30")
    site.sm("schedule add", "one", "--start", "20:00", "--calendar", "closing")
    for words in ("schedule list", "schedule calendar list"):
        rows = site.json(words)
        lines = site.sm(words, "--format", "jsonl").out.splitlines()
        assert [json.loads(line) for line in lines] == rows
        table = csv.DictReader(io.StringIO(site.sm(words, "--format", "csv").out))
        assert [row.keys() for row in table] == [row.keys() for row in rows]
        assert all(row["name"] in site.sm(words).out for row in rows)
    assert site.sm("schedule list").out.splitlines()[2] == (
        "one     yes   on the dates of calendar closing at 20:00"
    )


def test_calendars_by_hand(site: Site) -> None:
    made = site.json("schedule calendar add", "closing", "--date", "2026-12-30",
                     "--date", "2026-11-27", "--note", "n")  # fmt: skip
    assert made["dates"] == ["2026-11-27", "2026-12-30"]
    changed = site.json("schedule calendar modify", "closing", "--date", "2027-01-29",
                        "--remove-date", "2026-11-27")  # fmt: skip
    assert changed["dates"] == ["2026-12-30", "2027-01-29"]
    assert (changed["note"], changed["days"]) == ("n", 2)
    gone = site.sm("schedule calendar modify", "closing", "--remove-date",
                   "2026-11-27", code=10)  # fmt: skip
    assert (
        gone.err.splitlines()[-1]
        == 'error: calendar "closing" does not hold 2026-11-27'
    )
    site.sm("schedule add", "end", "--start", "20:00", "--calendar", "closing",
            "--offset", "-1")  # fmt: skip
    assert [one[:10] for one in starts(site, "end")] == ["2026-12-29", "2027-01-28"]
    site.sm("schedule add", "work", "--start", "20:00", "--weekly", "wed,fri",
            "--except-calendar", "closing", "--from", "2026-12-29")  # fmt: skip
    assert starts(site, "work", "--next", "1")[0][:10] == "2027-01-01"
    refused = site.sm("schedule calendar remove", "closing", "--yes", code=12)
    assert 'still needed by schedule "end", "work"' in refused.err
    site.sm("schedule modify", "work", "--no-except-calendar")
    site.sm("schedule modify", "end", "--no-calendar")
    assert starts(site, "end", "--next", "1")[0][:10] == "2026-11-24"
    assert site.json("schedule calendar remove", "closing", "--yes") == changed


def test_holidays_of_a_place(site: Site) -> None:
    made = site.json("schedule calendar add", "h", "--holidays", "DE-BY", "--years",
                     "2027-2028")  # fmt: skip
    assert "2027-01-06" in made["dates"]
    assert made["summaries"]["2028-12-25"]
    assert {one[:4] for one in made["dates"]} == {"2027", "2028"}
    more = site.json("schedule calendar modify", "h", "--holidays", "DE-BY")
    assert (more["first"][:4], more["last"][:4]) == ("2026", "2036")


def test_a_calendar_goes_out_as_ics_and_comes_in_again(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "in.ics"
    made = icalendar.Calendar()
    for summary, day, rule in (
        ("Inventur", date(2026, 12, 30), ""),
        ("Silvester", date(2026, 12, 31), "FREQ=YEARLY"),
    ):
        event = icalendar.Event()
        event.add("SUMMARY", summary)
        event.add("UID", summary)
        event.add("DTSTART", day)
        if rule:
            event.add("RRULE", icalendar.vRecur.from_ical(rule))
        made.add_component(event)
    file.write_bytes(made.to_ical())
    done = site.sm("schedule calendar import", "year", file)
    assert 'calendar "year" imported: 12 days\n' in done.err
    assert 'here up to 2036-12-31: "Silvester"\n' in done.err
    assert done.out == ""
    out = site.sm("schedule calendar export", "year").out
    events = icalendar.Calendar.from_ical(out).walk("VEVENT")
    shown = site.json("schedule calendar show", "year")
    assert [str(one["DTSTART"].dt) for one in events] == shown["dates"]
    again = site.sm("schedule calendar import", "copy", "-", "--format", "json",
                    input=out.encode()).json  # fmt: skip
    assert {**again, "name": "year"} == shown


def test_an_import_adds_unless_it_is_to_replace(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "in.ics"
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1",
             "DTSTART;VALUE=DATE:20261231", "RRULE:FREQ=YEARLY",
             "END:VEVENT", "END:VCALENDAR"]  # fmt: skip
    file.write_text("\r\n".join(lines))
    site.sm("schedule calendar add", "c", "--date", "2026-11-30", "--note", "n")
    until = ("--until", "2027-12-31")
    both = site.json("schedule calendar import", "c", file, *until)
    assert both["dates"] == ["2026-11-30", "2026-12-31", "2027-12-31"]
    alone = site.json("schedule calendar import", "c", file, *until, "--replace")
    assert alone["dates"] == ["2026-12-31", "2027-12-31"]
    assert alone["note"] == "n"
    file.write_text("no calendar")
    site.sm("schedule calendar import", "c", file, code=2)
    assert site.json("schedule calendar show", "c") == alone


def test_a_minute_cycle_is_previewed_across_the_change_of_the_clocks(
    site: Site,
) -> None:
    site.sm("schedule add", "min", "--every", "30min", "--between", "01:30-03:30")
    found = starts(site, "min", "--from", "2027-10-31", "--until", "2027-10-31")
    moments = [datetime.fromisoformat(one) for one in found]
    assert {y - x for x, y in pairwise(moments)} == {timedelta(minutes=30)}
    assert found[-1] == "2027-10-31T03:00:00+01:00"
