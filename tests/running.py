"""A job under way, for tests of the catalog."""

from datetime import UTC, date, datetime

from sesam.catalog import jobs
from sesam.catalog.db import Catalog
from sesam.rules.records import Job, Owner
from sesam.service.ground.owner import current_owner

NOW = datetime(2027, 3, 28, 1, 0, 0, 123456, tzinfo=UTC)
DAY = date(2027, 3, 28)


def running(catalog: Catalog, name: str = "etc", owner: Owner | None = None) -> Job:
    with catalog.change():
        job = jobs.enqueue("backup", name, backup_day=DAY, now=NOW)
    return jobs.start(
        catalog, job.id, owner or current_owner(), clock=lambda: NOW, log="/log"
    )
