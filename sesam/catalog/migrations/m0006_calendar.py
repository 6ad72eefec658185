"""What follows from an occurrence: follow-ups, retries, fallbacks, and why it started.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """ALTER TABLE occurrence ADD COLUMN cause {text} NOT NULL DEFAULT ''""",
    """ALTER TABLE occurrence ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE occurrence ADD COLUMN unseen BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE occurrence ADD COLUMN fallback BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE occurrence ADD COLUMN left_out {text} NOT NULL DEFAULT '[]'""",
    """ALTER TABLE occurrence ADD COLUMN first_at {text}""",
    """ALTER TABLE job ADD COLUMN not_before {text}""",
    """CREATE INDEX occurrence_unseen ON occurrence (id) WHERE unseen = 1""",
    """CREATE INDEX occurrence_fallback ON occurrence (closes_at)
        WHERE fallback = 1""",
    """CREATE INDEX job_active ON job (id) WHERE state = 'active'""",
    # By the key of equality: a decision looks at the equal ones of its day alone.
    """DROP INDEX occurrence_by_day""",
    """CREATE INDEX occurrence_by_day
        ON occurrence (backup_day, type, object, start_at)""",
    """CREATE INDEX occurrence_queued ON occurrence (event, object)
        WHERE state = 'queued'""",
)
