"""sm_media: pools, stores, drives, drive groups, loaders, and the media themselves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from sesam.cli import family
from sesam.cli.family import Command, Family, form_option
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site
from sesam.cli.values import SIZE
from sesam.cli.verbs import add_verbs, given, said

_NOTE = click.option("--note", metavar="TEXT", help="What you want to remember of it.")


@family.family("sm_media", "sm_media store add big --path /srv/backup")
def media() -> None:
    """Where savesets go: media pools, data stores, drives, loaders, media."""


@media.group("pool", cls=Family, example="sm_media pool add YEAR --group DISK")
def pool() -> None:
    """Media pools: where savesets go, and how long they stay."""


@media.group("store", cls=Family, example="sm_media store list")
def store() -> None:
    """Data stores: directories that hold savesets."""


@media.group("group", cls=Family, example="sm_media group add LTO")
def group() -> None:
    """Drive groups: drives that do the same work."""


@media.group("drive", cls=Family, example="sm_media drive list")
def drive() -> None:
    """Tape drives."""


@media.group("loader", cls=Family, example="sm_media loader list")
def loader() -> None:
    """Tape libraries."""


def _bytes(key: str, title: str = "") -> Column:
    return Column(key, title, human=size, right=True)


add_verbs(
    pool,
    "media pool",
    path="sm_media pool",
    catalog="pools:list_pools:get_pool",
    remover="remove_pool",
    columns=[
        Column("name"),
        Column("group"),
        Column("retention_days", "retention", lambda days: f"{days} days"),
        Column("spare"),
        Column("from_spare"),
        Column("note"),
    ],
)
add_verbs(
    store,
    "data store",
    path="sm_media store",
    catalog="drives:list_stores:get_store",
    remover="remove_store",
    columns=[
        Column("name"),
        Column("path"),
        Column("group"),
        _bytes("capacity_bytes", "capacity"),
        Column("rds"),
        Column("note"),
    ],
)
add_verbs(
    group,
    "drive group",
    path="sm_media group",
    catalog="pools:list_drive_groups:get_drive_group",
    remover="remove_drive_group",
    columns=[Column("name"), Column("drives"), Column("note")],
)
add_verbs(
    drive,
    "drive",
    path="sm_media drive",
    catalog="drives:list_drives:get_drive",
    remover="remove_drive",
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
    remover="remove_loader",
    columns=[Column("name"), Column("device"), Column("note")],
)


def _pool_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        _NOTE,
        click.option(
            "--block-size", "block_bytes", type=SIZE, help="Of tapes; default: 256K."
        ),
        click.option("--from-spare", metavar="POOL", help="Takes media from it."),
        click.option("--spare/--no-spare", default=None, help="A pool of spare media."),
        click.option("--retention", "retention_days", type=int, metavar="DAYS"),
    ):
        function = option(function)
    return function


@pool.command(
    "add", cls=Command, example="sm_media pool add YEAR --group DISK --retention 366"
)
@click.argument("name")
@click.option("--group", required=True, help="Drive group that writes it.")
@_pool_options
def pool_add(name: str, group: str, **values: Any) -> None:
    """Add a media pool."""
    from sesam.rules.records import MediaPool
    from sesam.service import configure

    configure.add_pool(open_site(), MediaPool(name, group, **given(values)))
    said(f'media pool "{name}" added')


@pool.command(
    "modify", cls=Command, example="sm_media pool modify YEAR --retention 400"
)
@click.argument("name")
@click.option("--group", help="Drive group that writes it.")
@_pool_options
def pool_modify(name: str, **values: Any) -> None:
    """Change a media pool; what is not given stays."""
    from sesam.catalog.pools import get_pool
    from sesam.service import configure

    site = open_site()
    configure.modify_pool(site, replace(get_pool(name), **given(values)))
    said(f'media pool "{name}" modified')


def _store_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        _NOTE,
        click.option("--streams", type=int, help="Savesets at once; default: 4."),
        click.option("--low-water", type=int, metavar="PERCENT"),
        click.option("--high-water", type=int, metavar="PERCENT"),
        click.option(
            "--capacity", "capacity_bytes", type=SIZE, help="Default: the disk's."
        ),
    ):
        function = option(function)
    return function


@store.command("add", cls=Command, example="sm_media store add big --path /srv/backup")
@click.argument("name")
@click.option("--path", required=True, metavar="DIR", help="An empty directory.")
@click.option("--group", default="DISK", show_default=True, help="Drive group.")
@click.option("--rds", metavar="CLIENT", help="The client at which DIR lies.")
@_store_options
def store_add(name: str, path: str, group: str, **values: Any) -> None:
    """Make a directory a data store."""
    import os

    from sesam.rules.records import DataStore
    from sesam.service import configure

    # A path on another machine means nothing here, and is taken as it is.
    where = path if values.get("rds") else os.path.abspath(path)
    site = open_site()
    configure.add_store(site, DataStore(name, where, group, **given(values)))
    said(f'data store "{name}" added')


@store.command("modify", cls=Command, example="sm_media store modify big --capacity 8T")
@click.argument("name")
@click.option("--path", metavar="DIR", help="Where it lies now, marker and all.")
@click.option("--group", help="Drive group.")
@_store_options
def store_modify(name: str, **values: Any) -> None:
    """Change a data store; what is not given stays."""
    from sesam.catalog.drives import get_store
    from sesam.service import configure

    site = open_site()
    configure.modify_store(site, replace(get_store(name), **given(values)))
    said(f'data store "{name}" modified')


@group.command("add", cls=Command, example="sm_media group add LTO")
@click.argument("name")
@_NOTE
def group_add(name: str, **values: Any) -> None:
    """Add a drive group."""
    from sesam.rules.records import DriveGroup
    from sesam.service import configure

    configure.add_drive_group(open_site(), DriveGroup(name, **given(values)))
    said(f'drive group "{name}" added')


@group.command(
    "modify", cls=Command, example="sm_media group modify LTO --note 'third floor'"
)
@click.argument("name")
@_NOTE
def group_modify(name: str, **values: Any) -> None:
    """Change a drive group's note; drives name their group themselves."""
    from sesam.catalog.pools import get_drive_group
    from sesam.service import configure

    site = open_site()
    configure.modify_drive_group(site, replace(get_drive_group(name), **given(values)))
    said(f'drive group "{name}" modified')


@loader.command(
    "add", cls=Command, example="sm_media loader add lib --device scsi:/dev/sg3"
)
@click.argument("name")
@click.option("--device", required=True, metavar="URL")
@_NOTE
def loader_add(name: str, device: str, **values: Any) -> None:
    """Add a tape library."""
    from sesam.rules.records import Loader
    from sesam.service import configure

    configure.add_loader(open_site(), Loader(name, device, **given(values)))
    said(f'loader "{name}" added')


@loader.command(
    "modify", cls=Command, example="sm_media loader modify lib --device scsi:/dev/sg4"
)
@click.argument("name")
@click.option("--device", metavar="URL")
@_NOTE
def loader_modify(name: str, **values: Any) -> None:
    """Change a tape library; what is not given stays."""
    from sesam.catalog.drives import get_loader
    from sesam.service import configure

    site = open_site()
    configure.modify_loader(site, replace(get_loader(name), **given(values)))
    said(f'loader "{name}" modified')


@drive.command(
    "add",
    cls=Command,
    example="sm_media drive add lto1 --device scsi:/dev/sg4 --loader lib --position 0"
    " --group LTO",
)
@click.argument("name")
@click.option("--device", required=True, metavar="URL")
@click.option("--group", required=True, help="Drive group.")
@click.option("--loader", help="The library it is in.")
@click.option("--position", type=int, help="Place among its drives, from 0.")
def drive_add(name: str, group: str, **values: Any) -> None:
    """Add a tape drive."""
    from sesam.rules.records import Drive
    from sesam.service import configure
    from sesam.terms import MediumKind

    made = Drive(name, group, MediumKind.TAPE, **given(values))
    configure.add_drive(open_site(), made)
    said(f'drive "{name}" added')


@drive.command(
    "modify", cls=Command, example="sm_media drive modify lto1 --device scsi:/dev/sg5"
)
@click.argument("name")
@click.option("--device", metavar="URL")
@click.option("--group", help="Drive group.")
@click.option("--loader", help="The library it is in.")
@click.option("--position", type=int, help="Place among its drives, from 0.")
def drive_modify(name: str, **values: Any) -> None:
    """Change a tape drive; what is not given stays."""
    from sesam.catalog.drives import get_drive
    from sesam.service import configure

    site = open_site()
    configure.modify_drive(site, replace(get_drive(name), **given(values)))
    said(f'drive "{name}" modified')


@media.command("list", cls=Command, example="sm_media list --pool LTO")
@click.option("--pool", metavar="P", default="", help="Of this pool alone.")
@form_option
def media_list(pool: str, form: str) -> None:
    """List the media: labels, where they are, how full."""
    from sesam.catalog.media import list_media

    site = open_site()
    columns = [
        Column("label"),
        Column("barcode"),
        Column("pool"),
        Column("state"),
        Column("loader"),
        Column("slot"),
        Column("drive"),
        _bytes("used"),
        Column("eol"),
        Column("savesets"),
    ]
    rows = map(_medium, list_media(pool=pool))
    Renderer(form, site.zone).rows(rows, columns)


@media.command(
    "init", cls=Command, example="sm_media init --pool LTO --loader lib --slot 3"
)
@click.option("--pool", required=True, metavar="P", help="Whose media they become.")
@click.option("--loader", metavar="L", help="The library they are in.")
@click.option("--slot", "slots", type=click.IntRange(min=1), multiple=True)
@click.option("--drive", metavar="D", help="The drive that holds the medium.")
@click.option("--force", is_flag=True, help="Whatever is on them is lost.")
@form_option
def media_init(
    pool: str,
    loader: str | None,
    slots: tuple[int, ...],
    drive: str | None,
    force: bool,
    form: str,
) -> None:
    """Label media: slots of a loader, or what is in a drive."""
    from sesam.service import tapeinit

    if bool(drive) == bool(loader) or bool(loader) != bool(slots):
        raise click.UsageError("name --loader with --slot, or --drive")
    site = open_site()
    if drive:
        made = [tapeinit.init_drive(site, pool, drive, force=force)]
    else:
        made = tapeinit.init_slots(site, pool, str(loader), slots, force=force)
    columns = [Column("label"), Column("barcode"), Column("pool")]
    Renderer(form, site.zone).rows(made, columns)


def _medium(one: Any) -> dict[str, Any]:
    return {
        "label": one.label,
        "barcode": one.barcode or None,
        "pool": one.pool,
        "kind": one.kind.value,
        "state": "full" if one.full else one.state,
        "loader": one.loader or None,
        "slot": one.slot or None,
        "drive": one.drive or None,
        "used": one.used_bytes,
        "capacity": one.capacity_bytes or None,
        "eol": one.eol,
        "protected": one.protected,
        "savesets": one.savesets,
    }


def main() -> None:
    """Run sm_media."""
    family.run(media)


if __name__ == "__main__":
    main()
