"""sm_setup show and modify: settings of the site."""

from typing import Any

import click

from sesam.cli.family import Command, form_option
from sesam.cli.render import Renderer
from sesam.cli.site import open_site
from sesam.cli.verbs import given, tell
from sesam.terms import State

_CANCELLED = ("backup", "restore", "verify", "command")


@click.command(cls=Command, example="sm_setup show --format json")
@form_option
def show(form: str) -> None:
    """Show the site and its settings."""
    from sesam.service import configure_site

    site = open_site()
    Renderer(form, site.zone).one(configure_site.show(site))


@click.command(cls=Command, example="sm_setup modify --interface-limit 120")
@click.option(
    "--interface-limit",
    type=int,
    metavar="MINUTES",
    help="That a pre or post script may take; default: 60.",
)
@click.option(
    "--notify-on",
    multiple=True,
    type=click.Choice([one.value for one in State if one.is_final]),
    help="Ends of jobs that sm_notify is told; all but ok if not said. Repeat it.",
)
@click.option("--no-notify", is_flag=True, help="sm_notify is told of no job.")
@click.option(
    "--remind-hours",
    type=int,
    metavar="HOURS",
    help="From reminder to reminder of an alarm; default: 24, 0 = none.",
)
@click.option(
    "--log-days",
    type=int,
    metavar="DAYS",
    help="That logs of jobs are kept; default: 400, 0 = for ever.",
)
@click.option(
    "--sheet-days",
    type=int,
    metavar="DAYS",
    help="That rows of the calendar sheet are kept; default: 400, 0 = for ever.",
)
@click.option(
    "--cancel-at-newday",
    multiple=True,
    type=click.Choice(_CANCELLED),
    help="Type of jobs of the day before that newday cancels; may be repeated.",
)
@click.option(
    "--no-cancel-at-newday", is_flag=True, help="newday cancels nothing: the default."
)
@form_option
def modify(
    form: str, no_notify: bool, no_cancel_at_newday: bool, **values: Any
) -> None:
    """Change settings of the site; what is not given stays."""
    from sesam.service import configure_site

    site = open_site()
    emptied = {"notify_on": no_notify, "cancel_at_newday": no_cancel_at_newday}
    none: dict[str, Any] = {key: () for key, is_so in emptied.items() if is_so}
    values = {**none, **given(values)}
    configure_site.modify(site, values)
    tell(form, configure_site.show(site), "settings modified")
