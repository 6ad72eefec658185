"""The queue: jobs that wait for a worker to be started, and who started it when.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """ALTER TABLE job ADD COLUMN waits BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE job ADD COLUMN closes_at {text}""",
    """ALTER TABLE job ADD COLUMN spawned_at {text}""",
    """CREATE INDEX job_waiting ON job (priority DESC, queued_at, id)
        WHERE state = 'queued' AND waits = 1""",
    # What was added before the calendar began to move is looked at by its first tick.
    """UPDATE event SET next_at = since WHERE schedule_id IS NOT NULL""",
)
