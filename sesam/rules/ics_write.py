"""A custom calendar as an .ics file: one all-day event for each date."""

from datetime import datetime, timedelta

from sesam.rules.schedule import Calendar


def write_ics(calendar: Calendar, stamp: datetime) -> bytes:
    """Return the file; stamp -- when it was made, which RFC 5545 asks for."""
    from icalendar import Calendar as Ics
    from icalendar import Event

    made = Ics()
    made.add("PRODID", "-//sesam//sm_schedule//EN")
    made.add("VERSION", "2.0")
    made.add("X-WR-CALNAME", calendar.name)
    for day in calendar.dates:
        event = Event()
        event.add("UID", f"{day}@{calendar.name}")
        event.add("DTSTAMP", stamp.replace(microsecond=0))
        event.add("SUMMARY", calendar.summaries.get(str(day), "") or calendar.name)
        event.add("DTSTART", day)
        event.add("DTEND", day + timedelta(days=1))
        event.add("TRANSP", "TRANSPARENT")
        made.add_component(event)
    return bytes(made.to_ical())
