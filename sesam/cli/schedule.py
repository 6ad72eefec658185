"""sm_schedule: when something starts, and custom calendars."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import click

from sesam.cli import calendars, family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site
from sesam.cli.values import BETWEEN, CLOCK, DAY
from sesam.cli.verbs import NOTE, add_verbs, given, tell

_NEXT = 10


@family.family("sm_schedule", "sm_schedule add nightly --start 20:00 --weekly mon-fri")
def schedule() -> None:
    """When something starts: rules, validity, custom calendars."""


schedule.add_command(calendars.calendar)
add_verbs(
    schedule,
    "schedule",
    path="sm_schedule",
    catalog="schedules:list_schedules:get_schedule",
    remover="configure_schedules:remove_schedule",
    facts="configure_schedules:facts",
    record=(
        "name", "start", "rule", "words", "between", "from", "until", "offset",
        "calendars", "except_calendars", "life_time", "enabled", "added", "since",
        "note",
    ),
    columns=[Column("name"), Column("enabled", "on"), Column("words", "starts")],
)  # fmt: skip


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `add` and `modify` share."""
    for option in (
        NOTE,
        click.option(
            "--life-time",
            type=int,
            metavar="MINUTES",
            help="How long a start may wait for its turn; default: 600.",
        ),
        click.option(
            "--until", "valid_until", type=DAY, metavar="DATE", help="No start after."
        ),
        click.option(
            "--from",
            "valid_from",
            type=DAY,
            metavar="DATE",
            help="No start before; the rule counts from it. Default: the day added.",
        ),
        click.option(
            "--except-calendar",
            "except_calendars",
            multiple=True,
            metavar="NAME",
            help="On no date of this calendar; may be repeated.",
        ),
        click.option(
            "--calendar",
            "calendars",
            multiple=True,
            metavar="NAME",
            help="Only on dates of this calendar; may be repeated.",
        ),
        click.option(
            "--offset", type=int, metavar="DAYS", help="Move each date, as -1 or 3."
        ),
        click.option(
            "--rrule", metavar="RRULE", help="Any rule of RFC 5545 that gives dates."
        ),
        click.option("--once", type=DAY, metavar="DATE", help="On one date."),
        click.option(
            "--yearly",
            metavar="DAYS",
            help="12-24, last-day-feb, last-sun-mar, first-workday-jan ...",
        ),
        click.option(
            "--monthly",
            metavar="DAYS",
            help="1,15,-1, last-day, first-workday, 2nd-sat, last-fri ...",
        ),
        click.option(
            "--weekly", metavar="WEEKDAYS", help="sat,sun or mon-fri; see --every 2w."
        ),
        click.option(
            "--between",
            type=BETWEEN,
            metavar="HH:MM-HH:MM",
            help="Hours of --every 15min or 2h; the end is no start any more.",
        ),
        click.option("--every", metavar="N", help="15min, 2h, 3d or 2w."),
        click.option(
            "--start",
            type=CLOCK,
            metavar="HH:MM",
            help="Time of the day in the site's zone; the first one of a cycle.",
        ),
    ):
        function = option(function)
    return function


@schedule.command(
    cls=Command,
    example="sm_schedule add month-end --start 21:00 --monthly last-day\n"
    "sm_schedule add shop --every 15min --between 08:00-18:00 --weekly mon-sat",
)
@click.argument("name")
@_options
@click.option("--off", is_flag=True, help="Switched off until sm_schedule on.")
@form_option
def add(name: str, form: str, off: bool, **values: Any) -> None:
    """Add a schedule; without a rule it starts daily, or on its calendars' dates."""
    from sesam.service import configure_schedules

    wishes = {**given(values), **({"enabled": False} if off else {})}
    configure_schedules.add_schedule(open_site(), name, wishes)
    _tell(form, name, "added")


@schedule.command(
    cls=Command, example="sm_schedule modify month-end --offset -1 --no-calendar"
)
@click.argument("name")
@_options
@click.option("--no-rule", is_flag=True, help="Daily, or its calendars' dates.")
@click.option("--no-between", is_flag=True, help="A cycle lasts to midnight.")
@click.option("--no-from", is_flag=True, help="Counts from the day it was added.")
@click.option("--no-until", is_flag=True, help="Without a last date.")
@click.option("--no-calendar", is_flag=True, help="Drop the calendars to keep to.")
@click.option("--no-except-calendar", is_flag=True, help="Drop those to avoid.")
@form_option
def modify(name: str, form: str, **values: Any) -> None:
    """Change a schedule; what is not given stays, what is given replaces.

    When it starts changes from now on, never for the past.
    """
    from sesam.service import configure_schedules

    dropped = {
        key: none
        for option, key, none in (
            ("no_rule", "rrule", None),
            ("no_between", "between", None),
            ("no_from", "valid_from", None),
            ("no_until", "valid_until", None),
            ("no_calendar", "calendars", ()),
            ("no_except_calendar", "except_calendars", ()),
        )
        if values.pop(option)
    }
    wishes = {**dropped, **given(values)}
    configure_schedules.modify_schedule(open_site(), name, wishes)
    _tell(form, name, "modified")


@schedule.command(cls=Command, example="sm_schedule on nightly")
@click.argument("name")
@form_option
def on(name: str, form: str) -> None:
    """Switch a schedule on; what it missed is not made up for."""
    from sesam.service import configure_schedules

    configure_schedules.switch_schedule(open_site(), name, on=True)
    _tell(form, name, "is on")


@schedule.command(cls=Command, example="sm_schedule off nightly")
@click.argument("name")
@form_option
def off(name: str, form: str) -> None:
    """Switch a schedule off: nothing starts by it."""
    from sesam.service import configure_schedules

    configure_schedules.switch_schedule(open_site(), name, on=False)
    _tell(form, name, "is off")


@schedule.command(
    cls=Command,
    example="sm_schedule preview nightly --from 2027-03-27 --until 2027-03-29",
)
@click.argument("name")
@click.option("--from", "first", type=DAY, metavar="DATE", help="Default: now.")
@click.option(
    "--until", "last", type=DAY, metavar="DATE", help="All starts up to this date."
)
@click.option(
    "--next",
    "most",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many starts; default: 10 without --until.",
)
@form_option
def preview(name: str, most: int | None, form: str, **window: Any) -> None:
    """Show when a schedule starts next, whether it is on or off."""
    from sesam.catalog.schedules import get_schedule
    from sesam.service import configure_schedules

    site = open_site()
    if most is None and window["last"] is None:
        most = _NEXT
    found = configure_schedules.preview(site, name, most=most, **window)
    columns = [Column("start_at", "start"), Column("backup_day", "backup day")]
    # What is wrong is said before anything is printed.
    rows = chain(list(_first(found)), found)
    Renderer(form, site.zone).rows(rows, columns, [one.key for one in columns])
    if not get_schedule(name).enabled:
        _note(f'schedule "{name}" is off: nothing starts by it')


def _first(rows: Any) -> Any:
    for row in rows:
        yield row
        return


def _tell(form: str, name: str, done: str) -> None:
    from sesam.catalog.schedules import get_schedule
    from sesam.service import configure_schedules

    site = open_site()
    row = configure_schedules.facts(get_schedule(name))
    tell(form, row, f'schedule "{name}" {done}: {row["words"]}')
    if not configure_schedules.has_start_ahead(site, name):
        _note(f'schedule "{name}" has no start ahead')


def _note(text: str) -> None:
    click.echo(printable(f"note: {text}"), err=True)


def main() -> None:
    """Run sm_schedule."""
    family.run(schedule)


if __name__ == "__main__":
    main()
