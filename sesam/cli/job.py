"""sm_job: what ran, what runs, and what it said."""

from datetime import date
from typing import Any

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site
from sesam.cli.values import DAY

_KEYS = (
    "type",
    "object",
    "state",
    "priority",
    "backup_day",
    "queued_at",
    "started_at",
    "ended_at",
    "worker",
    "message",
    "log",
)


@family.family("sm_job", "sm_job list")
def job() -> None:
    """Jobs: backups, restores, and what becomes of them."""


@job.command("list", cls=Command, example="sm_job list --day 2027-03-28")
@click.option("--day", type=DAY, help="Of this backup day alone.")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many.")
@form_option
def list_(day: date | None, limit: int | None, form: str) -> None:
    """List jobs, oldest first."""
    from sesam.catalog.jobs import list_jobs

    site = open_site()
    columns = [
        Column("job"),
        Column("type"),
        Column("object"),
        Column("state"),
        Column("started_at", "started"),
        Column("ended_at", "ended"),
        Column("message"),
    ]
    rows = map(_row, list_jobs(day=day, limit=limit or 0))
    Renderer(form, site.zone).rows(rows, columns, ("job", *_KEYS))


@job.command(cls=Command, example="sm_job show 7")
@click.argument("number", type=int, metavar="JOB")
@form_option
def show(number: int, form: str) -> None:
    """Show one job."""
    from sesam.catalog.jobs import get_job

    site = open_site()
    Renderer(form, site.zone).one(_row(get_job(number)))


@job.command(cls=Command, example="sm_job log 7")
@click.argument("number", type=int, metavar="JOB")
@form_option
def log(number: int, form: str) -> None:
    """Print the log of a job."""
    from sesam.catalog.jobs import get_job
    from sesam.errors import NotFound

    site = open_site()
    found = get_job(number)
    try:
        with open(found.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise NotFound(
            f"the log of job {number} cannot be read: {error.strerror}"
        ) from error
    if form == "table":
        for line in lines:
            click.echo(printable(line))
        return
    rows = [{"at": line[:25], "text": line[26:]} for line in lines]
    Renderer(form, site.zone).rows(rows, (), ("at", "text"))


def _row(one: Any) -> dict[str, Any]:
    facts = {key: getattr(one, key) for key in _KEYS}
    facts["state"] = one.state.value
    return {"job": one.id, **facts}


def main() -> None:
    """Run sm_job."""
    family.run(job)


if __name__ == "__main__":
    main()
