"""Chains and jobs that can be asked for: limits of a task, what a job was told.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """ALTER TABLE task ADD COLUMN max_chain BIGINT NOT NULL DEFAULT 100""",
    """ALTER TABLE task ADD COLUMN full_every BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE job ADD COLUMN request {text} NOT NULL DEFAULT '{{}}'""",
    """ALTER TABLE job ADD COLUMN exit_code BIGINT""",
    """ALTER TABLE job ADD COLUMN told_to_stop BIGINT NOT NULL DEFAULT 0""",
    """CREATE INDEX saveset_good ON saveset (task, started_at)
        WHERE state IN ('ok', 'warning')""",
)
