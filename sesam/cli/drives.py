"""sm_media group, drive, loader: what moves and writes media."""

from collections.abc import Callable
from typing import Any

import click

from sesam.cli.family import Command, Family, form_option
from sesam.cli.render import Column
from sesam.cli.site import open_site
from sesam.cli.verbs import NOTE, add_verbs, given, tell

Function = Callable[..., Any]
IN_LOADER = click.option("--loader", help="The library it is in.")
POSITION = click.option("--position", type=int, help="Place among its drives, from 0.")


def device_option(*, required: bool) -> Callable[[Function], Function]:
    """Add `--device` for what answers to SCSI commands."""
    return click.option(
        "--device",
        required=required,
        metavar="URL",
        help="scsi:/dev/sgN or iscsi://HOST:PORT/IQN/LUN.",
    )


@click.group("group", cls=Family, example="sm_media group add LTO")
def group() -> None:
    """Drive groups: drives that do the same work."""


@click.group("drive", cls=Family, example="sm_media drive list")
def drive() -> None:
    """Tape drives."""


@click.group("loader", cls=Family, example="sm_media loader list")
def loader() -> None:
    """Tape libraries."""


add_verbs(
    group,
    "drive group",
    path="sm_media group",
    catalog="pools:list_drive_groups:get_drive_group",
    remover="configure_media:remove_drive_group",
    record="DriveGroup",
    columns=[Column("name"), Column("drives"), Column("note")],
)
add_verbs(
    drive,
    "drive",
    path="sm_media drive",
    catalog="drives:list_drives:get_drive",
    remover="configure_media:remove_drive",
    record="Drive",
    columns=[
        Column("name"),
        Column("group"),
        Column("kind"),
        Column("device"),
        Column("loader"),
        Column("position"),
        Column("store"),
    ],
)
add_verbs(
    loader,
    "loader",
    path="sm_media loader",
    catalog="drives:list_loaders:get_loader",
    remover="configure_media:remove_loader",
    record="Loader",
    columns=[Column("name"), Column("device"), Column("note")],
)


@group.command("add", cls=Command, example="sm_media group add LTO")
@click.argument("name")
@NOTE
@form_option
def group_add(name: str, form: str, **values: Any) -> None:
    """Add a drive group."""
    from sesam.catalog.pools import get_drive_group
    from sesam.rules.records import DriveGroup
    from sesam.service import configure_media

    configure_media.add_drive_group(open_site(), DriveGroup(name, **given(values)))
    tell(form, get_drive_group(name), f'drive group "{name}" added')


@group.command(
    "modify", cls=Command, example="sm_media group modify LTO --note 'third floor'"
)
@click.argument("name")
@NOTE
@form_option
def group_modify(name: str, form: str, **values: Any) -> None:
    """Change a drive group's note; drives name their group themselves."""
    from sesam.catalog.pools import get_drive_group
    from sesam.service import configure_media

    site = open_site()
    configure_media.modify_drive_group(
        site, get_drive_group(name)._replace(**given(values))
    )
    tell(form, get_drive_group(name), f'drive group "{name}" modified')


@loader.command(
    "add", cls=Command, example="sm_media loader add lib --device scsi:/dev/sg3"
)
@click.argument("name")
@device_option(required=True)
@NOTE
@form_option
def loader_add(name: str, form: str, device: str, **values: Any) -> None:
    """Add a tape library."""
    from sesam.catalog.drives import get_loader
    from sesam.rules.records import Loader
    from sesam.service import configure_media

    configure_media.add_loader(open_site(), Loader(name, device, **given(values)))
    tell(form, get_loader(name), f'loader "{name}" added')


@loader.command(
    "modify", cls=Command, example="sm_media loader modify lib --device scsi:/dev/sg4"
)
@click.argument("name")
@device_option(required=False)
@NOTE
@form_option
def loader_modify(name: str, form: str, **values: Any) -> None:
    """Change a tape library; what is not given stays."""
    from sesam.catalog.drives import get_loader
    from sesam.service import configure_media

    site = open_site()
    configure_media.modify_loader(site, get_loader(name)._replace(**given(values)))
    tell(form, get_loader(name), f'loader "{name}" modified')


@drive.command(
    "add",
    cls=Command,
    example="sm_media drive add lto1 --device scsi:/dev/sg4 --loader lib --position 0"
    " --group LTO",
)
@click.argument("name")
@device_option(required=True)
@click.option("--group", required=True, help="Drive group.")
@IN_LOADER
@POSITION
@form_option
def drive_add(name: str, form: str, group: str, **values: Any) -> None:
    """Add a tape drive."""
    from sesam.catalog.drives import get_drive
    from sesam.rules.records import Drive
    from sesam.service import configure_media
    from sesam.terms import MediumKind

    made = Drive(name, group, MediumKind.TAPE, **given(values))
    configure_media.add_drive(open_site(), made)
    tell(form, get_drive(name), f'drive "{name}" added')


@drive.command(
    "modify", cls=Command, example="sm_media drive modify lto1 --device scsi:/dev/sg5"
)
@click.argument("name")
@device_option(required=False)
@click.option("--group", help="Drive group.")
@IN_LOADER
@POSITION
@form_option
def drive_modify(name: str, form: str, **values: Any) -> None:
    """Change a tape drive; what is not given stays."""
    from sesam.catalog.drives import get_drive
    from sesam.service import configure_media

    site = open_site()
    configure_media.modify_drive(site, get_drive(name)._replace(**given(values)))
    tell(form, get_drive(name), f'drive "{name}" modified')
