"""sm_backup list, show, files: looking savesets up."""

from datetime import date

import click

from sesam.cli.family import Command, form_option
from sesam.cli.keeping import eol
from sesam.cli.passphrase import ask_passphrase, identity_option
from sesam.cli.render import Column, Renderer, count, size, visible
from sesam.cli.site import open_site
from sesam.cli.values import DAY, SAVED_PATH

RESULT = [
    Column("bytes", human=size),
    Column("stored_bytes", "stored", human=size),
    Column("files", human=count),
    Column("changed", human=count),
]
_LIST = [
    Column("saveset"),
    Column("task"),
    Column("level"),
    Column("state"),
    Column("backup_day", "day"),
    Column("started_at", "started"),
    Column("files", human=count, right=True),
    Column("bytes", human=size, right=True),
    Column("stored_bytes", "stored", human=size, right=True),
    Column("media"),
    Column("eol", human=eol),
]


@click.command("list", cls=Command, example="sm_backup list --task etc")
@click.option("--task", metavar="T", default="", help="Of this task alone.")
@click.option("--day", type=DAY, help="Of this backup day alone.")
@form_option
def list_(task: str, day: date | None, form: str) -> None:
    """List savesets, oldest first."""
    from sesam.catalog.savesets import list_savesets
    from sesam.catalog.tasks import get_task
    from sesam.service.fetching.rows import KEYS, rows_of

    site = open_site()
    if task:
        get_task(task)
    rows = rows_of(list_savesets(task=task, day=day), task=task)
    Renderer(form, site.zone).rows(rows, _LIST, KEYS)


@click.command(cls=Command, example="sm_backup show SF20270328010000000@AAAAAAAAAAA")
@click.argument("saveset")
@form_option
def show(saveset: str, form: str) -> None:
    """Show one saveset and where its parts lie."""
    from sesam.service.lookup import show_saveset

    site = open_site()
    facts = show_saveset(site, saveset)
    renderer = Renderer(form, site.zone)
    renderer.one(facts, RESULT)
    if form == "table":
        click.echo()
        columns = [
            Column("name"),
            Column("bytes", human=size, right=True),
            Column("location"),
        ]
        renderer.rows(facts["parts"], columns)


@click.command(
    cls=Command, example="sm_backup files SF20270328010000000@AAAAAAAAAAA /etc/hosts"
)
@click.argument("saveset")
@click.argument("path", nargs=-1, type=SAVED_PATH)
@click.option("--merged", is_flag=True, help="The whole tree as of that saveset.")
@identity_option
@form_option
def files(
    saveset: str,
    path: tuple[bytes, ...],
    merged: bool,
    identities: tuple[str, ...],
    form: str,
) -> None:
    """List the objects of a saveset, all or those at and below PATH."""
    from sesam.service.files import FILE_KEYS, list_files

    site = open_site()
    rows = list_files(
        site,
        saveset,
        path,
        merged=merged,
        identities=identities,
        passphrase=ask_passphrase,
        texts=form in ("json", "jsonl"),
    )
    columns = [
        Column("mode"),
        Column("type"),
        Column("size", human=size, right=True),
        Column("mtime"),
        Column("path"),
    ]
    if form == "table":
        for row in rows:
            click.echo(
                f"{row['type']} {row['mode']} {row['uid']:>6} {row['gid']:>6}"
                f" {row['size']:>12} {row['mtime'][:19]} {visible(row['path'])}"
            )
        return
    Renderer(form, site.zone).rows(rows, columns, FILE_KEYS)
