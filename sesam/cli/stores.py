"""sm_media pool, sm_media store: where savesets go."""

from collections.abc import Callable
from typing import Any

import click

from sesam.cli.family import Command, Family, form_option
from sesam.cli.render import NONE, Column, size
from sesam.cli.site import open_site
from sesam.cli.values import DIRECTORY, SIZE
from sesam.cli.verbs import NOTE, add_verbs, given, tell


@click.group("pool", cls=Family, example="sm_media pool add YEAR --group DISK")
def pool() -> None:
    """Media pools: where savesets go, and how long they stay."""


@click.group("store", cls=Family, example="sm_media store list")
def store() -> None:
    """Data stores: directories that hold savesets."""


add_verbs(
    pool,
    "media pool",
    path="sm_media pool",
    catalog="pools:list_pools:get_pool",
    remover="configure_media:remove_pool",
    record="MediaPool",
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
    remover="configure_media:remove_store",
    record="DataStore",
    columns=[
        Column("name"),
        Column("path"),
        Column("group"),
        Column(
            "capacity_bytes",
            "capacity",
            lambda value: size(value) if value else NONE,
            right=True,
        ),
        Column("rds"),
        Column("note"),
    ],
)


def _pool_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        NOTE,
        click.option(
            "--block-size", "block_bytes", type=SIZE, help="Of tapes; default: 256K."
        ),
        click.option("--from-spare", metavar="POOL", help="Takes media from it."),
        click.option("--spare/--no-spare", default=None, help="A pool of spare media."),
        click.option(
            "--retention",
            "retention_days",
            type=int,
            metavar="DAYS",
            help="How long savesets stay; default: 30.",
        ),
    ):
        function = option(function)
    return function


@pool.command(
    "add", cls=Command, example="sm_media pool add YEAR --group DISK --retention 366"
)
@click.argument("name")
@click.option("--group", required=True, help="Drive group that writes it.")
@_pool_options
@form_option
def pool_add(name: str, form: str, group: str, **values: Any) -> None:
    """Add a media pool."""
    from sesam.catalog.pools import get_pool
    from sesam.rules.records import MediaPool
    from sesam.service import configure_media

    configure_media.add_pool(open_site(), MediaPool(name, group, **given(values)))
    tell(form, get_pool(name), f'media pool "{name}" added')


@pool.command(
    "modify", cls=Command, example="sm_media pool modify YEAR --retention 400"
)
@click.argument("name")
@click.option("--group", help="Drive group that writes it.")
@_pool_options
@form_option
def pool_modify(name: str, form: str, **values: Any) -> None:
    """Change a media pool; what is not given stays."""
    from sesam.catalog.pools import get_pool
    from sesam.service import configure_media

    site = open_site()
    configure_media.modify_pool(site, get_pool(name)._replace(**given(values)))
    tell(form, get_pool(name), f'media pool "{name}" modified')


def _store_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        NOTE,
        click.option("--streams", type=int, help="Savesets at once; default: 4."),
        click.option(
            "--low-water",
            type=int,
            metavar="PERCENT",
            help="Down to which space is made; default: 85. Kept, not used yet.",
        ),
        click.option(
            "--high-water",
            type=int,
            metavar="PERCENT",
            help="From which on `sm_setup check` warns; default: 95.",
        ),
        click.option(
            "--capacity",
            "capacity_bytes",
            type=SIZE,
            help="Default: the disk's. Kept, not used yet.",
        ),
    ):
        function = option(function)
    return function


@store.command("add", cls=Command, example="sm_media store add big --path /srv/backup")
@click.argument("name")
@click.option(
    "--path",
    required=True,
    type=DIRECTORY,
    metavar="DIR",
    help="An empty directory.",
)
@click.option("--group", default="DISK", show_default=True, help="Drive group.")
@click.option("--rds", metavar="CLIENT", help="The client at which DIR lies.")
@_store_options
@form_option
def store_add(name: str, form: str, path: str, group: str, **values: Any) -> None:
    """Make a directory a data store."""
    import os

    from sesam.catalog.drives import get_store
    from sesam.rules.records import DataStore
    from sesam.service import configure_media

    # A path on another machine means nothing here, and is taken as it is.
    where = path if values.get("rds") else os.path.abspath(path)
    site = open_site()
    configure_media.add_store(site, DataStore(name, where, group, **given(values)))
    tell(form, get_store(name), f'data store "{name}" added')


@store.command("modify", cls=Command, example="sm_media store modify big --capacity 8T")
@click.argument("name")
@click.option(
    "--path", type=DIRECTORY, metavar="DIR", help="Where it lies now, marker and all."
)
@click.option("--group", help="Drive group.")
@_store_options
@form_option
def store_modify(name: str, form: str, **values: Any) -> None:
    """Change a data store; what is not given stays."""
    from sesam.catalog.drives import get_store
    from sesam.service import configure_media

    site = open_site()
    configure_media.modify_store(site, get_store(name)._replace(**given(values)))
    tell(form, get_store(name), f'data store "{name}" modified')
