"""sepuler: the calendar that decides what starts when, and says why."""

from datetime import date

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer
from sesam.cli.site import open_site
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


def main() -> None:
    """Run sepuler."""
    family.run(sepuler)


if __name__ == "__main__":
    main()
