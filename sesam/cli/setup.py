"""sm_setup: the site itself."""

import click

from sesam.cli import family, settings
from sesam.cli.family import Command, end_with_warnings, form_option
from sesam.cli.passphrase import ask_passphrase, identity_option, new_passphrase
from sesam.cli.render import Column, Renderer
from sesam.cli.site import catalog_url, clock, open_site, root
from sesam.cli.values import DIRECTORY


@family.family("sm_setup", "sm_setup init --zone Europe/Berlin")
def setup() -> None:
    """Make the site, look whether it is sound, keep its keys."""


setup.add_command(settings.show)
setup.add_command(settings.modify)


@setup.command(
    cls=Command, example="sm_setup init --zone Europe/Berlin --store /srv/backup"
)
@click.option("--zone", metavar="IANA", help="Time zone; default: this machine's.")
@click.option(
    "--newday",
    default="08:00",
    show_default=True,
    metavar="HH:MM",
    help="When a backup day begins.",
)
@click.option(
    "--store",
    type=DIRECTORY,
    metavar="DIR",
    help="Data store; default: store in the root.",
)
@form_option
def init(zone: str | None, newday: str, store: str | None, form: str) -> None:
    """Make a site in $SESAM_ROOT: catalog, client, data store, pool, NEWDAY."""
    from zoneinfo import ZoneInfo

    from sesam.service import setup as service

    wishes = service.Wishes(zone or service.machine_zone(), newday, store or "")
    made = service.init(root(), catalog_url(), wishes, clock())
    Renderer(form, ZoneInfo(wishes.zone)).one(made)


@setup.command(cls=Command, example="sm_setup check --format json")
@click.option("--repair", is_flag=True, help="Put right what can be put right.")
@click.option(
    "--delete-unknown",
    is_flag=True,
    help="With --repair: remove savesets that the catalog does not know.",
)
@form_option
def check(repair: bool, delete_unknown: bool, form: str) -> None:
    """Look whether catalog, rights, stores, copies and jobs are sound."""
    from sesam.service.check import check_site

    if delete_unknown and not repair:
        raise click.UsageError("--delete-unknown goes with --repair")
    site = open_site()
    rows = check_site(site, repair=repair, delete_unknown=delete_unknown)
    columns = [Column("check"), Column("state"), Column("message")]
    Renderer(form, site.zone).rows(rows, columns)
    if any(row["state"] != "ok" for row in rows):
        end_with_warnings()


@setup.command(
    cls=Command, example="sm_setup recover --store /srv/backup --identity office.txt"
)
@click.option(
    "--store",
    required=True,
    type=DIRECTORY,
    metavar="DIR",
    help="A data store of the lost site.",
)
@identity_option
@form_option
def recover(store: str, identities: tuple[str, ...], form: str) -> None:
    """Make a lost site anew in $SESAM_ROOT, from one of its data stores."""
    from zoneinfo import ZoneInfo

    from sesam.service import recover as service

    lost = service.Lost(store, identities)
    made = service.recover(root(), catalog_url(), lost, ask_passphrase, clock)
    Renderer(form, ZoneInfo("UTC")).one(made)


@setup.group("key", cls=family.Family, example="sm_setup key add office")
def key() -> None:
    """Age identities of the site: who holds one can read what is encrypted to it."""


@key.command("add", cls=Command, example="sm_setup key add office --passphrase")
@click.argument("name")
@click.option(
    "--passphrase", is_flag=True, help="Protect it; asked for, or a line of stdin."
)
@form_option
def key_add(name: str, passphrase: bool, form: str) -> None:
    """Make an identity; its recipient is for `sm_task add --recipient`."""
    from sesam.service.ground import keys

    site = open_site()
    word = new_passphrase() if passphrase else ""
    Renderer(form, site.zone).one(keys.add(site, name, word))


@key.command("list", cls=Command, example="sm_setup key list")
@form_option
def key_list(form: str) -> None:
    """List the identities and their recipients."""
    from sesam.service.ground import keys

    site = open_site()
    columns = [Column("name"), Column("recipient"), Column("protected"), Column("path")]
    Renderer(form, site.zone).rows(keys.list_keys(site), columns)


@key.command("show", cls=Command, example="sm_setup key show office")
@click.argument("name")
@form_option
def key_show(name: str, form: str) -> None:
    """Show one identity's recipient and file, never its secret."""
    from sesam.service.ground import keys

    site = open_site()
    Renderer(form, site.zone).one(keys.get(site, name))


def main() -> None:
    """Run sm_setup."""
    family.run(setup)


if __name__ == "__main__":
    main()
