"""sm_newday: the housekeeping of a backup day."""

import click

from sesam.cli import family
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.keeping import eol
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal


def _counts(value: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in value.items()) or "none"


_PLAN = [
    Column("action"),
    Column("saveset"),
    Column("pool"),
    Column("media"),
    Column("eol", human=eol),
    Column("bytes", human=size, right=True),
    Column("state"),
    Column("reason"),
]
_DAYS = [
    Column("backup_day"),
    Column("state"),
    Column("jobs", human=_counts),
    Column("savesets", right=True),
    Column("stored_bytes", "stored", human=size, right=True),
    Column("open", right=True),
    Column("closed_at", "closed"),
]


@family.family("sm_newday", "sm_newday run --dry-run")
def newday() -> None:
    """Begin a backup day: delete what has expired, look after the catalog."""


@newday.command(cls=Command, example="sm_newday run --dry-run --format json")
@family.dry_run_option
@click.option(
    "--confirm-clock",
    is_flag=True,
    help="The clock is right: deletions go on after a leap of it.",
)
@form_option
def run(dry_run: bool, confirm_clock: bool, form: str) -> None:
    """Do the housekeeping of the current backup day."""
    from sesam.service import newday as service

    site = open_site()
    asked = service.Run(stop_by_signal)
    done = service.run(site, asked, dry_run=dry_run, confirm=confirm_clock)
    renderer = Renderer(form, site.zone)
    if form == "table":
        plan = done.pop("plan")
        renderer.one(done, [Column("freed_bytes", "freed", human=size)])
        if plan:
            click.echo()
            renderer.rows(plan, _PLAN)
    else:
        renderer.one(done)
    if done["paused"]:
        click.echo(f"deletions are paused: {done['paused']}", err=True)
        click.echo(f"hint: {service.CONFIRM} once the clock is right", err=True)
    if done["state"] == "warning":
        end_with_warnings()


@newday.command(cls=Command, example="sm_newday show --format json")
@form_option
def show(form: str) -> None:
    """Show the current backup day, and when newday ran last."""
    from sesam.service import newday as service

    site = open_site()
    Renderer(form, site.zone).one(service.show(site))


@newday.command("list", cls=Command, example="sm_newday list --limit 7")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="The latest so many.",
)
@form_option
def list_(limit: int, form: str) -> None:
    """List the backup days that are closed, and what became of their jobs."""
    from sesam.catalog.days import list_days

    site = open_site()
    Renderer(form, site.zone).rows(list_days(limit), _DAYS, [one.key for one in _DAYS])


def main() -> None:
    """Run sm_newday."""
    family.run(newday)


if __name__ == "__main__":
    main()
