"""sm_setup show and modify: settings of the site."""

from typing import Any

import click

from sesam.cli.family import Command, form_option
from sesam.cli.render import Renderer
from sesam.cli.site import open_site
from sesam.cli.verbs import given, tell


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
@form_option
def modify(form: str, **values: Any) -> None:
    """Change settings of the site; what is not given stays."""
    from sesam.service import configure_site

    site = open_site()
    configure_site.modify(site, given(values))
    tell(form, configure_site.show(site), "settings modified")
