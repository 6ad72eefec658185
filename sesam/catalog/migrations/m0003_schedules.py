"""Schedules with validity, offset and life time, and the custom calendars they keep to.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    # The one schedule of before is NEWDAY: its rule counts from this Monday.
    """ALTER TABLE schedule ADD COLUMN added_on {text} NOT NULL DEFAULT '2000-01-03'""",
    """ALTER TABLE schedule ADD COLUMN since {text}""",
    """ALTER TABLE schedule ADD COLUMN between_end {text}""",
    """ALTER TABLE schedule ADD COLUMN valid_from {text}""",
    """ALTER TABLE schedule ADD COLUMN valid_until {text}""",
    """ALTER TABLE schedule ADD COLUMN offset_days BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE schedule ADD COLUMN life_minutes BIGINT NOT NULL DEFAULT 600""",
    """ALTER TABLE schedule ADD COLUMN note {text} NOT NULL DEFAULT ''""",
    """UPDATE schedule SET since = added_at""",
    """CREATE TABLE calendar (
        id {id}, name {text} NOT NULL UNIQUE, note {text} NOT NULL)""",
    """CREATE TABLE calendar_date (
        id {id},
        calendar_id BIGINT NOT NULL REFERENCES calendar (id) ON DELETE CASCADE,
        day {text} NOT NULL, summary {text} NOT NULL, UNIQUE (calendar_id, day))""",
    """CREATE TABLE schedule_calendar (
        id {id},
        schedule_id BIGINT NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
        calendar_id BIGINT NOT NULL REFERENCES calendar (id),
        position BIGINT NOT NULL, excepted BIGINT NOT NULL,
        UNIQUE (schedule_id, calendar_id))""",
    """CREATE INDEX schedule_calendar_by_calendar
        ON schedule_calendar (calendar_id)""",
)
