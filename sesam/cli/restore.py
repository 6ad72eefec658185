"""sm_restore: bring back what was saved."""

import os
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sesam.cli import family
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.passphrase import ask_passphrase, identity_option
from sesam.cli.progress import progress
from sesam.cli.render import Column, Renderer, count, size, visible
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal
from sesam.cli.values import ANY_TEXT, INSTANT, SAVED_PATH

if TYPE_CHECKING:
    from sesam.saveset.listing import Line


@family.family("sm_restore", "sm_restore start --task etc --target /tmp/back")
def restore() -> None:
    """Bring back whole savesets, or chosen paths of them."""


@restore.command(
    cls=Command,
    example="sm_restore start --task home --path /home/ann/letters --target /tmp/back",
)
@click.argument("saveset", required=False)
@click.option("--task", metavar="T", help="The newest good saveset of a task.")
@click.option("--at", type=INSTANT, help="The newest that started until then.")
@click.option("--best", is_flag=True, help="The newest that can be read.")
@click.option(
    "--partial", is_flag=True, help="Restore what can be read; report the rest."
)
@click.option(
    "--target", type=ANY_TEXT, metavar="DIR", help="Where to: objects keep their paths."
)
@click.option("--original", is_flag=True, help="To where it was.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=SAVED_PATH,
    metavar="P",
    help="This, and all below it.",
)
@click.option(
    "--existing",
    type=click.Choice(["keep", "overwrite", "older", "rename"]),
    default="keep",
    show_default=True,
    help="What becomes of what is there.",
)
@click.option("--numeric-owners", is_flag=True, help="Owners by number alone.")
@identity_option
@family.dry_run_option
@family.detach_option
@form_option
def start(
    saveset: str | None,
    task: str | None,
    at: datetime | None,
    best: bool,
    partial: bool,
    target: str | None,
    original: bool,
    paths: tuple[bytes, ...],
    existing: str,
    numeric_owners: bool,
    identities: tuple[str, ...],
    dry_run: bool,
    detach: bool,
    form: str,
) -> None:
    """Restore a saveset, or the newest one of a task."""
    from sesam.client.objects import Existing
    from sesam.service import restore as service
    from sesam.service.fetching.choice import Wish

    if original == bool(target):
        raise click.UsageError("say where to: --target DIR, or --original")
    if (at or best) and not task:
        raise click.UsageError("--at and --best choose among a task's: give --task")
    if detach and dry_run:
        raise click.UsageError("--dry-run is a matter of now: leave out --detach")
    site = open_site()
    where = os.fsencode(os.path.abspath(target)) if target else b"/"
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=site.zone)
    wish = Wish(
        target=where,
        saveset=saveset or "",
        task=task or "",
        at=at,
        best=best,
        partial=partial,
        paths=paths,
        existing=Existing(existing),
        numeric_owners=numeric_owners,
        identities=identities,
        dry_run=dry_run,
    )
    if detach:
        from sesam.service import jobs

        job = service.queue(site, wish)
        jobs.detach(site, job)
        return Renderer(form, site.zone).one(service.queued_result(job))
    with progress(saveset or task or "") as report:
        watch = service.Watch(
            ask_passphrase, report, _show if form == "table" else _quiet, stop_by_signal
        )
        result = service.start(site, wish, watch)
    columns = [Column("bytes", human=size), Column("files", human=count)]
    Renderer(form, site.zone).one(result, columns)
    if result["warnings"]:
        click.echo(
            f"{result['warnings']} warnings: sm_job log {result['job']}", err=True
        )
    if result["state"] == "warning":
        end_with_warnings()
    return None


def _show(line: "Line") -> None:
    click.echo(visible(line.path))


def _quiet(line: "Line") -> None:
    """Programs read the totals."""


def main() -> None:
    """Run sm_restore."""
    family.run(restore)


if __name__ == "__main__":
    main()
