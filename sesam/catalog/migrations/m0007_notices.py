"""The admin's scripts: which are open.

Frozen: a released step is never changed, what comes later is a step of its own.
"""

STATEMENTS = (
    """CREATE TABLE interface_run (
        job_id BIGINT PRIMARY KEY REFERENCES job (id), pair {text} NOT NULL,
        pre_exit BIGINT, facts {text} NOT NULL, began_at {text} NOT NULL)""",
)
