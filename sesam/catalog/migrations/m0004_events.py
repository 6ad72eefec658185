"""Events of every type, and the calendar sheet: one row for each occurrence.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """ALTER TABLE event ADD COLUMN task_id BIGINT REFERENCES task (id)""",
    """ALTER TABLE event ADD COLUMN group_id BIGINT REFERENCES task_group (id)""",
    """ALTER TABLE event ADD COLUMN pool_id BIGINT REFERENCES media_pool (id)""",
    """ALTER TABLE event ADD COLUMN drive_id BIGINT REFERENCES drive (id)""",
    """ALTER TABLE event ADD COLUMN drive_group_id BIGINT
        REFERENCES drive_group (id)""",
    """ALTER TABLE event ADD COLUMN follow_id BIGINT REFERENCES event (id)""",
    """ALTER TABLE event ADD COLUMN follow_on {text} NOT NULL DEFAULT 'warning'""",
    """ALTER TABLE event ADD COLUMN level {text} NOT NULL DEFAULT ''""",
    """ALTER TABLE event ADD COLUMN blocking BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE event ADD COLUMN fallback BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE event ADD COLUMN details {text} NOT NULL DEFAULT '{{}}'""",
    """ALTER TABLE event ADD COLUMN note {text} NOT NULL DEFAULT ''""",
    """ALTER TABLE event ADD COLUMN since {text}""",
    """UPDATE event SET since = added_at""",
    """ALTER TABLE event ADD COLUMN next_at {text}""",
    """CREATE INDEX event_next ON event (next_at) WHERE next_at IS NOT NULL""",
    """CREATE INDEX event_follow ON event (follow_id) WHERE follow_id IS NOT NULL""",
    """CREATE TABLE occurrence (
        id {id}, event {text} NOT NULL, type {text} NOT NULL, object {text} NOT NULL,
        task_group {text} NOT NULL, schedule {text} NOT NULL,
        backup_day {text} NOT NULL, start_at {text} NOT NULL, closes_at {text},
        priority BIGINT NOT NULL, blocking BIGINT NOT NULL, level {text} NOT NULL,
        state {text} NOT NULL, reason {text} NOT NULL, decided_by {text} NOT NULL,
        job_id BIGINT, count BIGINT NOT NULL)""",
    """CREATE UNIQUE INDEX occurrence_once ON occurrence (event, object, start_at)
        WHERE event <> ''""",
    """CREATE INDEX occurrence_by_day ON occurrence (backup_day, start_at)""",
    """CREATE INDEX occurrence_by_job ON occurrence (job_id)""",
    """CREATE INDEX occurrence_open ON occurrence (start_at)
        WHERE state IN ('planned', 'queued', 'active')""",
)
