"""Writing a decided occurrence into the sheet, with the job of one that runs."""

from sesam.catalog import notices, sheet
from sesam.catalog.sheet import SheetRow
from sesam.errors import SesamError
from sesam.rules.decision import Verdict
from sesam.rules.event import Event
from sesam.rules.records import Waits
from sesam.service import spawning, starting
from sesam.service.ground.site import Site
from sesam.terms import State

_WAITS = "skipped: the one before it is still in the queue"


def post(site: Site, event: Event, row: SheetRow) -> None:
    """Add a row that is planned or decided, and the job of one that runs.

    To be called within `change`. An occurrence that is in the sheet is left alone.
    """
    row, told = prepared(site, event, row)
    # The row first: where a clock went back it is there, and nothing starts twice.
    number = (sheet.post if row.schedule else sheet.post_start)(row)
    if told and number:
        start(site, row, number, told)
    if row.state == Verdict.BLOCKING.value and number:
        notices.blocking(row.event, row.backup_day, row.reason, site.clock())


def prepared(
    site: Site, event: Event, row: SheetRow
) -> tuple[SheetRow, spawning.Told | None]:
    """Return a row as it stands when its job is queued, and that job if it runs.

    One waits already, or it cannot be: then there is none.
    """
    if row.state != sheet.PLANNED:
        return row, None
    if sheet.is_queued(row.event, row.object):
        return row._replace(state=sheet.SKIPPED, reason=_WAITS), None
    try:
        told = starting.told(site, event, row.object)
    except SesamError as error:
        return row._replace(state=State.ERROR.value, reason=f"error: {error}"), None
    return row._replace(state=State.QUEUED.value, unseen=True), told


def start(site: Site, row: SheetRow, number: int, told: spawning.Told) -> None:
    """Queue the job of a row of the sheet; to be called within `change`."""
    job = spawning.enqueue(
        told,
        day=row.backup_day,
        now=site.clock(),
        priority=row.priority,
        waits=Waits(row.closes_at, message=row.cause),
    )
    sheet.link(number, job.id)
