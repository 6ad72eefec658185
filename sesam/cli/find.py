"""sm_backup find: which savesets have a path, and what became of it in each."""

import os

import click

from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.passphrase import ask_passphrase, identity_option
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site
from sesam.cli.values import ANY_TEXT


@click.command(cls=Command, example="sm_backup find '*/letters/ann*' --task home")
@click.argument("pattern", type=ANY_TEXT)
@click.option("--task", metavar="T", default="", help="In savesets of this task alone.")
@identity_option
@form_option
def find(pattern: str, task: str, identities: tuple[str, ...], form: str) -> None:
    """Find paths in all savesets: a shell glob over the whole path."""
    from sesam.service import find as service

    site = open_site()
    search = service.Search(os.fsencode(pattern), task, identities, ask_passphrase)
    columns = [
        Column("path"),
        Column("change"),
        Column("saveset"),
        Column("level"),
        Column("backup_day", "day"),
        Column("size", human=size, right=True),
        Column("mtime"),
    ]
    Renderer(form, site.zone).rows(service.find(site, search), columns, service.KEYS)
    for saveset, why in search.failed:
        click.echo(f"warning: {saveset} is not searched: {why}", err=True)
    if search.failed:
        end_with_warnings()
