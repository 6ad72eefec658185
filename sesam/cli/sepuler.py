"""sepuler: the calendar that decides what starts when, and says why."""

from datetime import date

import click

from sesam.cli import family
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site
from sesam.cli.status import made
from sesam.cli.values import DAY

_COLUMNS = [
    Column("backup_day"),
    Column("start_at"),
    Column("event"),
    Column("type"),
    Column("object"),
    Column("priority", right=True),
    Column("level"),
    Column("state"),
    Column("reason"),
]


@family.family("sepuler", "sepuler simulate --from 2026-12-01 --until 2026-12-31")
def sepuler() -> None:
    """The calendar: what starts when, what does not, and why."""


@sepuler.command(
    cls=Command,
    example="sepuler simulate --from 2026-12-01 --until 2026-12-31 --task etc",
)
@click.option("--from", "first", type=DAY, required=True, help="First backup day.")
@click.option("--until", "last", type=DAY, required=True, help="Last backup day.")
@click.option(
    "--event", "events", multiple=True, help="Rows of this alone; may be repeated."
)
@click.option(
    "--task", "tasks", multiple=True, help="Rows of this alone; may be repeated."
)
@form_option
def simulate(
    first: date,
    last: date,
    events: tuple[str, ...],
    tasks: tuple[str, ...],
    form: str,
) -> None:
    """Show what would start in some days, by what is configured now."""
    from sesam.service import planning

    site = open_site()
    rows = planning.simulate(site, first, last, of_events=events, of_tasks=tasks)
    Renderer(form, site.zone).rows(rows, _COLUMNS, planning.KEYS)


@sepuler.command(cls=Command, example="sepuler tick")
def tick() -> None:
    """Decide what is due, and start what can be started; for cron, each minute."""
    from sesam.service import ticking

    problems = ticking.tick(open_site())
    for text in problems:
        click.echo(printable(text), err=True)
    if problems:
        end_with_warnings()


@sepuler.command(cls=Command, example="sepuler run")
def run() -> None:
    """Tick each minute, and when a start is due, until SIGTERM or SIGINT ends it."""
    from sesam.cli.stopping import stop_between
    from sesam.service import daemon

    site = open_site()
    wake, stopped = stop_between()
    daemon.run(site, wake, stopped, lambda text: click.echo(printable(text), err=True))


@sepuler.command(cls=Command, example="sepuler calendar --day 2026-12-24")
@click.option("--day", type=DAY, help="One backup day; default: today's.")
@click.option("--from", "first", type=DAY, help="First backup day.")
@click.option("--until", "last", type=DAY, help="Last backup day.")
@form_option
def calendar(
    day: date | None, first: date | None, last: date | None, form: str
) -> None:
    """Show the calendar sheet: the past as it was, the future as it is planned."""
    from sesam.service import planning

    if (day and (first or last)) or bool(first) != bool(last):
        raise click.UsageError("give --day, or both --from and --until")
    site = open_site()
    day = day or site.backup_day(site.clock())
    rows = list(planning.calendar(site, first or day, last or day))
    Renderer(form, site.zone).rows(rows, [*_COLUMNS, Column("job")], planning.KEYS)


@sepuler.command(cls=Command, example="sepuler explain nightly --day 2026-12-24")
@click.argument("event")
@click.option("--day", type=DAY, help="A backup day; default: today's.")
@form_option
def explain(event: str, day: date | None, form: str) -> None:
    """Say why an event ran, will run, or will not."""
    from sesam.service import planning

    site = open_site()
    rows = planning.explain(site, event, day or site.backup_day(site.clock()))
    if form == "table":
        for row in rows:
            click.echo(printable(row["why"]))
        return
    Renderer(form, site.zone).rows(rows, _COLUMNS, (*planning.KEYS, "why"))


sepuler.add_command(made("sepuler status --prometheus"))


def main() -> None:
    """Run sepuler."""
    family.run(sepuler)


if __name__ == "__main__":
    main()
