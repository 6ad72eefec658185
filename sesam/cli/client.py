"""sm_client: the machines whose data is backed up."""

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column
from sesam.cli.site import open_site
from sesam.cli.verbs import NOTE, add_verbs, given, tell


@family.family("sm_client", "sm_client add web1 --ssh root@web1")
def client() -> None:
    """The machines whose data is backed up."""


_ssh = click.option("--ssh", metavar="USER@HOST", help="How ssh reaches it.")
_program = click.option(
    "--program", metavar="DIR", help="Where its sm_sbc and sm_sms are; default: PATH."
)

add_verbs(
    client,
    "client",
    path="sm_client",
    catalog="clients:list_clients:get_client",
    remover="configure:remove_client",
    record="Client",
    columns=[Column("name"), Column("ssh"), Column("program"), Column("note")],
)


@client.command(cls=Command, example="sm_client add web1 --ssh root@web1")
@click.argument("name")
@_ssh
@_program
@NOTE
@form_option
def add(name: str, form: str, **values: str | None) -> None:
    """Add a client; without --ssh its data is read on this machine."""
    from sesam.catalog.clients import get_client
    from sesam.rules.records import Client
    from sesam.service import configure

    configure.add_client(open_site(), Client(name, **given(values)))
    tell(form, get_client(name), f'client "{name}" added')


@client.command(cls=Command, example="sm_client modify web1 --ssh backup@web1")
@click.argument("name")
@_ssh
@_program
@NOTE
@form_option
def modify(name: str, form: str, **values: str | None) -> None:
    """Change a client; what is not given stays."""
    from sesam.catalog.clients import get_client
    from sesam.service import configure

    site = open_site()
    configure.modify_client(site, get_client(name)._replace(**given(values)))
    tell(form, get_client(name), f'client "{name}" modified')


def main() -> None:
    """Run sm_client."""
    family.run(client)


if __name__ == "__main__":
    main()
