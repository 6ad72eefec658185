"""Numbered steps from one schema to the next; each is frozen once released."""

from sesam.catalog.migrations import (
    m0001_initial,
    m0002_chains,
    m0003_schedules,
    m0004_events,
    m0005_queue,
    m0006_calendar,
    m0007_notices,
)

# The statements of step 1, 2, 3 ...
STEPS: tuple[tuple[str, ...], ...] = (
    m0001_initial.STATEMENTS,
    m0002_chains.STATEMENTS,
    m0003_schedules.STATEMENTS,
    m0004_events.STATEMENTS,
    m0005_queue.STATEMENTS,
    m0006_calendar.STATEMENTS,
    m0007_notices.STATEMENTS,
)
NEWEST = len(STEPS)
