"""sm_media: media pools, data stores, drives, loaders, and the media themselves."""

from typing import Any

import click

from sesam.cli import drives, family, stores
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site


@family.family("sm_media", "sm_media store add big --path /srv/backup")
def media() -> None:
    """Where savesets go: media pools, data stores, drives, loaders, media."""


for one in (stores.pool, stores.store, drives.group, drives.drive, drives.loader):
    media.add_command(one)


@media.command("list", cls=Command, example="sm_media list --pool LTO")
@click.option("--pool", metavar="P", default="", help="Of this pool alone.")
@form_option
def media_list(pool: str, form: str) -> None:
    """List the media: labels, where they are, how full."""
    from sesam.catalog.media import list_media
    from sesam.catalog.pools import get_pool
    from sesam.service.lookup import media_eols

    site = open_site()
    if pool:
        get_pool(pool)
    columns = [
        Column("label"),
        Column("barcode"),
        Column("pool"),
        Column("state"),
        Column("loader"),
        Column("slot"),
        Column("drive"),
        Column("used", human=size, right=True),
        Column("eol"),
        Column("savesets"),
    ]
    listed = list_media(pool=pool)
    eols = media_eols() if listed else {}
    rows = [{**_medium(one), "eol": eols.get(one.label)} for one in listed]
    Renderer(form, site.zone).rows(rows, columns, _KEYS)


@media.command(
    "init", cls=Command, example="sm_media init --pool LTO --loader lib --slot 3"
)
@click.option("--pool", required=True, metavar="P", help="Whose media they become.")
@click.option("--loader", metavar="L", help="The library they are in.")
@click.option(
    "--slot",
    "slots",
    type=click.IntRange(min=1),
    multiple=True,
    help="Slot, counted from 1; may be repeated.",
)
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
    from sesam.service import clockwatch
    from sesam.service.media import tapeinit

    if bool(drive) == bool(loader) or bool(loader) != bool(slots):
        raise click.UsageError("name --loader with --slot, or --drive")
    site = open_site()
    if force:
        clockwatch.refuse_rehearsal(site)
    if drive:
        made = [tapeinit.init_drive(site, pool, drive, force=force)]
    else:
        made = tapeinit.init_slots(site, pool, str(loader), slots, force=force)
    columns = [Column("label"), Column("barcode"), Column("pool")]
    Renderer(form, site.zone).rows(made, columns)


_KEYS = (
    "label",
    "barcode",
    "pool",
    "kind",
    "state",
    "loader",
    "slot",
    "drive",
    "used",
    "capacity",
    "eol",
    "protected",
    "savesets",
)


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
