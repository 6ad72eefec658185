"""sm_backup: start backups, look them up, verify them."""

import os
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from sesam.cli import family
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.find import find
from sesam.cli.passphrase import ask_passphrase
from sesam.cli.progress import progress
from sesam.cli.render import Column, Renderer, count, size, visible
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal
from sesam.cli.values import ANY_TEXT, DAY, SAVED_PATH

if TYPE_CHECKING:
    from sesam.service.asking import Request
    from sesam.service.ground.site import Site

_LEVELS = {"F": "FULL", "D": "DIFF", "I": "INCR", "C": "COPY"}
_RESULT = [
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
    Column("eol"),
]


@family.family("sm_backup", "sm_backup start etc")
def backup() -> None:
    """Start backups, list and show savesets, verify them."""


@backup.command(cls=Command, example="sm_backup start etc --pool YEAR")
@click.argument("task", required=False)
@click.option("--group", metavar="G", help="All tasks of a task group.")
@click.option(
    "--level",
    type=click.Choice([*_LEVELS.values(), *_LEVELS], case_sensitive=False),
    help="Default: FULL if there is none yet, else INCR.",
)
@click.option("--pool", metavar="P", help="Default: the task's, else the site's.")
@click.option("--detach", is_flag=True, help="Do not wait: a worker does it.")
@form_option
def start(
    task: str | None,
    group: str | None,
    level: str | None,
    pool: str | None,
    detach: bool,
    form: str,
) -> None:
    """Back up a task, or all tasks of a group, and wait for the end."""
    from sesam.catalog.tasks import get_group

    if bool(task) == bool(group):
        raise click.UsageError("name a task, or a group with --group")
    site = open_site()
    names = [task] if task else list(get_group(group or "").tasks)
    level = _LEVELS.get((level or "").upper(), (level or "").upper())
    results = []
    for name in names:
        begin = _detach if detach else _start
        results.append(begin(site, str(name), level, pool or ""))
        if results[-1]["state"] == "cancelled":
            break
    renderer = Renderer(form, site.zone)
    if task:
        renderer.one(results[0], _RESULT)
    else:
        columns = [Column("job"), Column("task"), Column("saveset"), Column("state")]
        renderer.rows(results, [*columns, *_RESULT])
    _end(results)


def _start(site: "Site", name: str, level: str, pool: str) -> dict[str, Any]:
    from sesam.service import backup as service

    with progress(name) as report:
        run = service.Run(report, stop_by_signal)
        return service.start(site, _request(name, level, pool), run)


def _detach(site: "Site", name: str, level: str, pool: str) -> dict[str, Any]:
    from sesam.service import asking
    from sesam.service.jobs import detach

    job = asking.queue(site, _request(name, level, pool))
    detach(site, job)
    return asking.queued_result(job)


def _request(name: str, level: str, pool: str) -> "Request":
    from sesam.service.asking import Request
    from sesam.terms import Level

    return Request(name, Level(level) if level else None, pool)


def _end(results: list[dict[str, Any]]) -> None:
    """End as the jobs did, where that is not plainly well."""
    from sesam.catalog.jobs import exit_code, get_job

    for one in results:
        if one["state"] == "cancelled":
            raise SystemExit(exit_code(get_job(one["job"])))
    if any(one["warnings"] for one in results):
        _tell_warnings(results)
        end_with_warnings()


def _tell_warnings(results: list[dict[str, Any]]) -> None:
    for one in results:
        if one["warnings"]:
            click.echo(f"{one['warnings']} warnings: sm_job log {one['job']}", err=True)


@backup.command("list", cls=Command, example="sm_backup list --task etc")
@click.option("--task", metavar="T", default="", help="Of this task alone.")
@click.option("--day", type=DAY, help="Of this backup day alone.")
@form_option
def list_(task: str, day: date | None, form: str) -> None:
    """List savesets, oldest first."""
    from sesam.catalog.savesets import list_savesets
    from sesam.catalog.tasks import get_task
    from sesam.service.fetching.rows import KEYS, row_of

    site = open_site()
    if task:
        get_task(task)
    rows = map(row_of, list_savesets(task=task, day=day))
    Renderer(form, site.zone).rows(rows, _LIST, KEYS)


@backup.command(cls=Command, example="sm_backup show SF20270328010000000@AAAAAAAAAAA")
@click.argument("saveset")
@form_option
def show(saveset: str, form: str) -> None:
    """Show one saveset and where its parts lie."""
    from sesam.service.lookup import show_saveset

    site = open_site()
    facts = show_saveset(site, saveset)
    renderer = Renderer(form, site.zone)
    renderer.one(facts, _RESULT)
    if form == "table":
        click.echo()
        columns = [
            Column("name"),
            Column("bytes", human=size, right=True),
            Column("location"),
        ]
        renderer.rows(facts["parts"], columns)


@backup.command(
    cls=Command, example="sm_backup files SF20270328010000000@AAAAAAAAAAA /etc/hosts"
)
@click.argument("saveset")
@click.argument("path", nargs=-1, type=SAVED_PATH)
@click.option("--merged", is_flag=True, help="The whole tree as of that saveset.")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    type=ANY_TEXT,
    metavar="KEY",
    help="Age identity file; may be repeated.",
)
@form_option
def files(
    saveset: str,
    path: tuple[bytes, ...],
    merged: bool,
    identities: tuple[str, ...],
    form: str,
) -> None:
    """List the objects of a saveset, all or those at and below PATH."""
    from sesam.service.lookup import FILE_KEYS, list_files

    site = open_site()
    rows = list_files(
        site,
        saveset,
        path,
        merged=merged,
        identities=identities,
        passphrase=ask_passphrase,
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


@backup.command(cls=Command, example="sm_backup verify --all")
@click.argument("saveset", nargs=-1)
@click.option("--task", metavar="T", default="", help="All savesets of a task.")
@click.option("--all", "everything", is_flag=True, help="All savesets.")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    type=ANY_TEXT,
    metavar="KEY",
    help="Age identity file; may be repeated.",
)
@form_option
def verify(
    saveset: tuple[str, ...],
    task: str,
    everything: bool,
    identities: tuple[str, ...],
    form: str,
) -> None:
    """Read savesets and compare every byte with what was written."""
    from sesam.errors import Damaged
    from sesam.service import verifying

    site = open_site()
    request = verifying.Request(
        saveset, task, everything, tuple(map(os.path.abspath, identities))
    )
    with progress("verify") as report:
        watch = verifying.Watch(ask_passphrase, report, stop_by_signal)
        rows = verifying.start(site, request, watch)
    columns = [
        Column("saveset"),
        Column("state"),
        Column("depth"),
        Column("bytes", human=size, right=True),
        Column("errors", human=str),
    ]
    Renderer(form, site.zone).rows(rows, columns)
    if any(row["state"] != "ok" for row in rows):
        raise SystemExit(Damaged.exit_code)


backup.add_command(find)


def main() -> None:
    """Run sm_backup."""
    family.run(backup)


if __name__ == "__main__":
    main()
