"""Rules: pure functions over records. No clock, no file, no database.

May import terms and errors, the values of the standard library, and what reckons with
dates: dateutil, icalendar, holidays.
"""
