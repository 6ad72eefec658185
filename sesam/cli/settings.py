"""sm_setup show and modify: settings of the site."""

from typing import Any

import click

from sesam.cli.family import Command, form_option
from sesam.cli.render import Renderer
from sesam.cli.site import open_site
from sesam.cli.verbs import given, tell
from sesam.terms import State


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
@form_option
def modify(form: str, no_notify: bool, **values: Any) -> None:
    """Change settings of the site; what is not given stays."""
    from sesam.service import configure_site

    site = open_site()
    values = {**({"notify_on": ()} if no_notify else {}), **given(values)}
    configure_site.modify(site, values)
    tell(form, configure_site.show(site), "settings modified")
