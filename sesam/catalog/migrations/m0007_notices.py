"""Scripts of the admin and what they are told, alarms, closed days, who in the audit.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """CREATE TABLE interface_run (
        job_id BIGINT NOT NULL PRIMARY KEY REFERENCES job (id),
        pair {text} NOT NULL,
        pre_exit BIGINT, facts {text} NOT NULL, began_at {text} NOT NULL,
        process {text} NOT NULL)""",
    """CREATE TABLE notice (
        id {id}, interface {text} NOT NULL, kind {text} NOT NULL,
        object {text} NOT NULL, subject {text} NOT NULL, facts {text} NOT NULL,
        once {text} NOT NULL, posted_at {text} NOT NULL, due_at {text},
        tries BIGINT NOT NULL, sent_at {text}, message {text} NOT NULL)""",
    """CREATE INDEX notice_due ON notice (due_at) WHERE due_at IS NOT NULL""",
    """CREATE UNIQUE INDEX notice_once ON notice (once) WHERE once <> ''""",
    """CREATE TABLE alarm (
        id {id}, kind {text} NOT NULL, object {text} NOT NULL, text {text} NOT NULL,
        since {text} NOT NULL, remind_at {text}, reminders BIGINT NOT NULL,
        over_at {text})""",
    """CREATE UNIQUE INDEX alarm_open ON alarm (kind, object)
        WHERE over_at IS NULL""",
    """ALTER TABLE task ADD COLUMN rpo BIGINT NOT NULL DEFAULT 0""",
    """ALTER TABLE task ADD COLUMN rpo_since {text}""",
    """CREATE INDEX task_rpo ON task (name) WHERE rpo > 0""",
    """CREATE TABLE closed_day (
        day {text} NOT NULL PRIMARY KEY, closed_at {text} NOT NULL, final_at {text},
        summary {text} NOT NULL)""",
    """CREATE INDEX closed_day_not_final ON closed_day (day)
        WHERE final_at IS NULL""",
    # So far the command was all that was known of who.
    """ALTER TABLE audit ADD COLUMN command {text} NOT NULL DEFAULT ''""",
    """UPDATE audit SET command = who, who = ''""",
    """CREATE INDEX audit_by_time ON audit (at, id)""",
    """CREATE INDEX audit_by_object ON audit (object, at)""",
    """CREATE INDEX copy_missing ON copy (id) WHERE state = 'missing'""",
)
