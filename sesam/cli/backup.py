"""sm_backup: start backups, look them up, verify them, keep or remove them."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from sesam.cli import family, keeping, lookup
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.find import find
from sesam.cli.lookup import RESULT
from sesam.cli.passphrase import ask_passphrase, identity_option
from sesam.cli.progress import progress
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal
from sesam.errors import Interrupted, SesamError

if TYPE_CHECKING:
    from sesam.service.asking import Request
    from sesam.service.ground.site import Site

_LEVELS = {"F": "FULL", "D": "DIFF", "I": "INCR", "C": "COPY"}


@family.family("sm_backup", "sm_backup start etc")
def backup() -> None:
    """Start backups, list and show savesets, verify them, say how long they stay."""


for one in (
    *(lookup.list_, lookup.show, lookup.files, find),
    *(keeping.lock, keeping.unlock, keeping.expire, keeping.remove),
):
    backup.add_command(one)


@backup.command(cls=Command, example="sm_backup start etc --pool YEAR")
@click.argument("task", required=False)
@click.option("--group", metavar="G", help="All tasks of a task group.")
@click.option(
    "--level",
    type=click.Choice([*_LEVELS.values(), *_LEVELS], case_sensitive=False),
    help="Default: FULL if there is none yet, else INCR.",
)
@click.option("--pool", metavar="P", help="Default: the task's, else the site's.")
@family.detach_option
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
    renderer = Renderer(form, site.zone)
    level = _LEVELS.get((level or "").upper(), (level or "").upper())
    begin = _detach if detach else _start
    if task:
        result = begin(site, task, level, pool or "")
        renderer.one(result, RESULT)
        return _end([result])
    names = get_group(group or "").tasks
    if not names:
        raise click.UsageError(f'task group "{group}" has no task')
    results, failure = _each(names, lambda name: begin(site, name, level, pool or ""))
    columns = [Column("job"), Column("task"), Column("saveset"), Column("state")]
    renderer.rows(results, [*columns, *RESULT, Column("message")])
    if failure is not None:
        raise failure
    return _end(results)


def _each(
    names: Sequence[str], begin: Callable[[str], dict[str, Any]]
) -> tuple[list[dict[str, Any]], SesamError | None]:
    """Back up one task after the other; return what came of each, and the first error.

    A task that fails holds up no other; one that is cancelled ends the group.
    """
    from sesam.service.asking import failed_result

    results: list[dict[str, Any]] = []
    first: SesamError | None = None
    for name in names:
        try:
            results.append({**begin(name), "message": None})
        except Interrupted:
            raise
        except SesamError as error:
            first = first or error
            results.append({**failed_result(name), "message": str(error)})
        if results[-1]["state"] == "cancelled":
            break
    return results, first


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
    if any(one["warnings"] or one["state"] == "warning" for one in results):
        _tell_warnings(results)
        end_with_warnings()


def _tell_warnings(results: list[dict[str, Any]]) -> None:
    for one in results:
        if one["warnings"] or one["state"] == "warning":
            count = one["warnings"] or "with"
            click.echo(f"{count} warnings: sm_job log {one['job']}", err=True)


@backup.command(cls=Command, example="sm_backup verify --all")
@click.argument("saveset", nargs=-1)
@click.option("--task", metavar="T", default="", help="All savesets of a task.")
@click.option("--all", "everything", is_flag=True, help="All savesets.")
@identity_option
@click.option(
    "--deep", is_flag=True, help="Compare each file with its digest in the listing too."
)
@family.detach_option
@form_option
def verify(
    saveset: tuple[str, ...],
    task: str,
    everything: bool,
    deep: bool,
    identities: tuple[str, ...],
    detach: bool,
    form: str,
) -> None:
    """Read savesets and compare every byte with what was written."""
    from sesam.errors import Damaged
    from sesam.service import verifying

    site = open_site()
    request = verifying.Request(
        saveset, task, everything, tuple(map(os.path.abspath, identities)), deep
    )
    if detach:
        from sesam.service import jobs

        job = verifying.queue(site, request)
        jobs.detach(site, job)
        queued = {"job": job.id, "state": job.state.value}
        return Renderer(form, site.zone).one(queued)
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
    return None


def main() -> None:
    """Run sm_backup."""
    family.run(backup)


if __name__ == "__main__":
    main()
