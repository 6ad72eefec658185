"""sm_schedule calendar: custom calendars, by hand, from and to .ics files."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from sesam.cli.family import Command, Family, form_option
from sesam.cli.render import NONE, Column, printable
from sesam.cli.site import open_site
from sesam.cli.values import DAY
from sesam.cli.verbs import NOTE, add_verbs, tell

_years = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)


@click.group(
    "calendar",
    cls=Family,
    example="sm_schedule calendar add closing --date 2026-12-30 --date 2027-01-29",
)
def calendar() -> None:
    """Custom calendars: dates that schedules keep to, or avoid."""


def _named(summaries: Mapping[str, str]) -> str:
    return ", ".join(f"{day} {name}" for day, name in summaries.items()) or NONE


add_verbs(
    calendar,
    "calendar",
    path="sm_schedule calendar",
    catalog="calendars:list_calendars:get_calendar",
    remover="configure_calendars:remove_calendar",
    facts="configure_calendars:facts",
    record=("name", "days", "first", "last", "dates", "summaries", "note"),
    columns=[
        Column("name"),
        Column("days", right=True),
        Column("first"),
        Column("last"),
        Column("note"),
    ],
    shown=[Column("summaries", "called", _named)],
)


class Years(click.ParamType[Any]):
    """A year or a span of years: 2027, 2026-2030."""

    name = "years"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = _years.fullmatch(value)
        if found is None:
            self.fail(f'"{value}" is no year or span, as 2026-2030', param, ctx)
        return int(found[1]), int(found[2] or found[1])


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `add` and `modify` share."""
    for option in (
        NOTE,
        click.option(
            "--years",
            type=Years(),
            metavar="YEARS",
            help="Of the holidays: 2026-2030; default: this year and ten more.",
        ),
        click.option(
            "--holidays",
            default="",
            metavar="PLACE",
            help="Public holidays of a country or region by ISO 3166, as DE or DE-BY.",
        ),
        click.option(
            "--date",
            "dates",
            multiple=True,
            type=DAY,
            metavar="DATE",
            help="A date to add; may be repeated.",
        ),
    ):
        function = option(function)
    return function


@calendar.command(
    "add",
    cls=Command,
    example="sm_schedule calendar add holidays --holidays DE-BY --years 2026-2030",
)
@click.argument("name")
@_options
@form_option
def calendar_add(name: str, form: str, **values: Any) -> None:
    """Add a calendar."""
    from sesam.service import configure_calendars as service

    service.add_calendar(open_site(), name, service.Change(**values))
    _tell(form, name, "added")


@calendar.command(
    "modify",
    cls=Command,
    example="sm_schedule calendar modify closing --remove-date 2027-01-29",
)
@click.argument("name")
@_options
@click.option(
    "--remove-date",
    "removed",
    multiple=True,
    type=DAY,
    metavar="DATE",
    help="A date to remove; may be repeated.",
)
@form_option
def calendar_modify(name: str, form: str, **values: Any) -> None:
    """Add dates to a calendar, and remove dates from it."""
    from sesam.service import configure_calendars as service

    service.modify_calendar(open_site(), name, service.Change(**values))
    _tell(form, name, "modified")


@calendar.command(
    "import", cls=Command, example="sm_schedule calendar import holidays bavaria.ics"
)
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--until",
    "horizon",
    type=DAY,
    metavar="DATE",
    help="Up to when events without end count; default: ten years ahead.",
)
@click.option(
    "--replace", "replaces", is_flag=True, help="Drop the dates of before first."
)
@form_option
def calendar_import(name: str, file: Any, form: str, **values: Any) -> None:
    """Add the days of an .ics file to a calendar, which is made if there is none.

    Every day that an event touches counts. Cancelled events are left out. `-` is stdin.
    """
    from sesam.service import configure_calendars as service

    notes = service.import_calendar(open_site(), name, file.read(), **values)
    _tell(form, name, "imported")
    for sentence in notes:
        click.echo(printable(f"note: {sentence}"), err=True)


@calendar.command(
    "export", cls=Command, example="sm_schedule calendar export holidays > holidays.ics"
)
@click.argument("name")
def calendar_export(name: str) -> None:
    """Print a calendar as an .ics file, an all-day event for each date."""
    from sesam.service import configure_calendars as service

    sys.stdout.buffer.write(service.export_calendar(open_site(), name))


def _tell(form: str, name: str, done: str) -> None:
    from sesam.catalog.calendars import get_calendar
    from sesam.service.configure_calendars import facts

    row = facts(get_calendar(name))
    many = f"{row['days']} {'day' if row['days'] == 1 else 'days'}"
    tell(form, row, f'calendar "{name}" {done}: {many}')
