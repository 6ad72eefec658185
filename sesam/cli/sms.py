"""sm_sms: the mover of a backup, where the media are."""

import sys

import click

from sesam import __version__
from sesam.cli import family
from sesam.cli.family import Command, unbuffered_stdin
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import clock


@click.command(
    "sm_sms",
    cls=Command,
    example="sm_sbc --source /etc | sm_sms --store /srv/backup",
)
@click.option("--store", metavar="DIR", help="A data store to write into.")
@click.option("--control", is_flag=True, help="Driven by a server: JSON in, JSON out.")
@click.option("--read", is_flag=True, help="Answer a server's questions for bytes.")
@click.option("--make-store", metavar="NAME", help="Make --store a data store.")
@click.option(
    "--remove",
    "removed",
    multiple=True,
    metavar="SAVESET",
    help="Remove it from --store; may be repeated.",
)
@click.option("--name", metavar="NAME", help="The store that it must be.")
@click.option("--site-id", metavar="ID", help="The site that owns the store.")
@family.form_option
@click.version_option(__version__, prog_name="sm_sms")
def sms(
    store: str | None,
    control: bool,
    read: bool,
    make_store: str | None,
    removed: tuple[str, ...],
    name: str | None,
    site_id: str | None,
    form: str,
) -> None:
    """Write the stream that comes on stdin into a data store, as one saveset.

    A saveset written so is in no catalog: sm_media import takes it in.
    """
    import os

    from sesam.device.directory import create_store
    from sesam.errors import WrongUsage
    from sesam.service.afar import serve
    from sesam.service.moving import control as service

    if control:
        return service.serve(unbuffered_stdin(), sys.stdout.buffer, clock=clock)
    if not store:
        raise WrongUsage("name a data store with --store", hint="sm_sms --help")
    path = os.path.abspath(store)
    if make_store:
        return create_store(path, name=make_store, site_id=site_id or "", now=clock())
    if removed:
        return serve.remove(name or "", path, site_id or "", removed)
    if read:
        pipes = sys.stdin.buffer, sys.stdout.buffer
        return serve.answer(name or "", path, site_id or "", *pipes)
    if sys.stdin.isatty():
        raise WrongUsage("there is no stream on stdin", hint="sm_sbc ... | sm_sms ...")
    from zoneinfo import ZoneInfo

    from sesam.service.moving.shell import write_stream

    row = write_stream(path, sys.stdin.buffer, clock)
    columns = [
        Column("bytes", human=size),
        Column("stored_bytes", "stored", human=size),
    ]
    Renderer(form, ZoneInfo("UTC")).one(row, columns)
    return None


def main() -> None:
    """Run sm_sms."""
    family.run(sms)


if __name__ == "__main__":
    main()
