"""sm_report: what is reported of the past."""

from datetime import date

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer
from sesam.cli.site import open_site
from sesam.cli.values import MOMENT

_AUDIT = [
    Column("at"),
    Column("who"),
    Column("command"),
    Column("what"),
    Column("object"),
    Column("detail"),
]


@family.family("sm_report", "sm_report audit --since 2027-03-28")
def report() -> None:
    """Reports of what was done."""


@report.command(cls=Command, example="sm_report audit --object etc --format jsonl")
@click.option("--since", type=MOMENT, help="From this day or instant on.")
@click.option("--until", type=MOMENT, help="Up to this day or instant, included.")
@click.option("--object", "name", default="", help="Of this object alone.")
@form_option
def audit(since: date | None, until: date | None, name: str, form: str) -> None:
    """Show who changed or started what, and when."""
    from sesam.service import reporting

    site = open_site()
    rows = reporting.audited(site, since=since, until=until, name=name)
    Renderer(form, site.zone).rows(rows, _AUDIT, reporting.AUDIT_KEYS)


def main() -> None:
    """Run sm_report."""
    family.run(report)


if __name__ == "__main__":
    main()
