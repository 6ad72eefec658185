"""sm_job: what ran, what runs, and what it said."""

import json
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site
from sesam.cli.values import DAY
from sesam.errors import RequestError
from sesam.terms import State

if TYPE_CHECKING:
    from sesam.rules.records import Job
    from sesam.service.ground.site import Site

_STATES = [one.value for one in State]

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
    "exit_code",
    "request",
)
_LIST = [
    Column("job"),
    Column("type"),
    Column("object"),
    Column("state"),
    Column("started_at", "started"),
    Column("ended_at", "ended"),
    Column("message"),
]
_ONE = [Column("request", human=json.dumps)]


@family.family("sm_job", "sm_job list")
def job() -> None:
    """Jobs: backups, restores, verifies, and what becomes of them."""


@job.command("list", cls=Command, example="sm_job list --state error --limit 20")
@click.option("--state", type=click.Choice(_STATES), help="In this state alone.")
@click.option("--type", "kind", metavar="TYPE", default="", help="backup, restore ...")
@click.option("--day", type=DAY, help="Of this backup day alone.")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many.")
@form_option
def list_(
    state: str | None, kind: str, day: date | None, limit: int | None, form: str
) -> None:
    """List jobs, oldest first."""
    from sesam.catalog.jobs import list_jobs

    site = open_site()
    only = State(state) if state else None
    _rows(site, form, list_jobs(state=only, kind=kind, day=day, limit=limit or 0))


@job.command(cls=Command, example="sm_job show 7")
@click.argument("number", type=int, metavar="JOB")
@form_option
def show(number: int, form: str) -> None:
    """Show one job."""
    from sesam.catalog.jobs import get_job

    site = open_site()
    Renderer(form, site.zone).one(_row(get_job(number)), _ONE)


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


@job.command(cls=Command, example="sm_job cancel 7 8")
@click.argument("numbers", type=int, metavar="JOB...", nargs=-1, required=True)
@click.option("--no-wait", is_flag=True, help="Do not wait until they have ended.")
@form_option
def cancel(numbers: tuple[int, ...], no_wait: bool, form: str) -> None:
    """Cancel jobs: queued ones at once, active ones in good order."""
    from sesam.catalog.jobs import get_job
    from sesam.service import jobs as service

    site = open_site()
    refused = None
    for one in dict.fromkeys(numbers):
        get_job(one)
    for one in dict.fromkeys(numbers):
        try:
            service.cancel(site, one)
        except RequestError as error:
            refused = refused or error
    found = map(get_job, numbers) if no_wait else service.wait(site, numbers)
    if refused and len(numbers) == 1:
        raise refused
    _rows(site, form, found)
    if refused:
        raise refused


@job.command(cls=Command, example="sm_job wait 7 --timeout 3600")
@click.argument("numbers", type=int, metavar="JOB...", nargs=-1, required=True)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give up then, with exit status 75.",
)
@form_option
def wait(numbers: tuple[int, ...], timeout: float | None, form: str) -> None:
    """Wait for jobs and end with the exit status of the worst."""
    from sesam.service import jobs as service

    site = open_site()
    found = service.wait(site, numbers, timeout_s=timeout)
    _rows(site, form, found)
    raise SystemExit(service.worst_exit_code(found))


@job.command(cls=Command, example="sm_job restart 7")
@click.argument("number", type=int, metavar="JOB")
@form_option
def restart(number: int, form: str) -> None:
    """Do once more what an ended job did, without waiting for it."""
    from sesam.service import jobs as service

    site = open_site()
    Renderer(form, site.zone).one(_row(service.restart(site, number)), _ONE)


def _rows(site: "Site", form: str, found: Iterable["Job"]) -> None:
    Renderer(form, site.zone).rows(map(_row, found), _LIST)


def _row(one: "Job") -> dict[str, Any]:
    facts = {key: getattr(one, key) for key in _KEYS}
    facts["state"] = one.state.value
    return {"job": one.id, **facts}


def main() -> None:
    """Run sm_job."""
    family.run(job)


if __name__ == "__main__":
    main()
