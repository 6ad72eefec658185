"""sm_backup lock, unlock, expire, remove: how long savesets stay."""

from datetime import date
from typing import Any

import click

from sesam.cli import family
from sesam.cli.family import Command, confirm, end_with_warnings, form_option
from sesam.cli.render import Column, Renderer, size
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal
from sesam.cli.values import DAY

_NEVER = date.max
_SAVESET = "SF20270328010000000@AAAAAAAAAAA"


def eol(value: date) -> str:
    """Return an EOL for people."""
    return "never" if value == _NEVER else value.isoformat()


_ROW = [
    Column("bytes", human=size),
    Column("stored_bytes", "stored", human=size),
    Column("eol", human=eol),
]
PLAN = [
    Column("saveset"),
    Column("pool"),
    Column("media"),
    Column("eol", human=eol),
    Column("bytes", human=size, right=True),
    Column("state"),
    Column("reason"),
]


@click.command("lock", cls=Command, example=f"sm_backup lock {_SAVESET}")
@click.argument("saveset")
@form_option
def lock(saveset: str, form: str) -> None:
    """Keep a saveset, and all it builds on, until the lock is taken off."""
    _lock(saveset, True, form)


@click.command("unlock", cls=Command, example=f"sm_backup unlock {_SAVESET}")
@click.argument("saveset")
@form_option
def unlock(saveset: str, form: str) -> None:
    """Take the lock off a saveset: its EOL counts again."""
    _lock(saveset, False, form)


def _lock(saveset: str, locked: bool, form: str) -> None:
    from sesam.service import keeping as service

    site = open_site()
    row = service.lock(site, saveset, locked=locked)
    Renderer(form, site.zone).one(row, _ROW)


@click.command(
    "expire", cls=Command, example=f"sm_backup expire {_SAVESET} --eol 2030-12-31"
)
@click.argument("saveset")
@click.option("--eol", "day", type=DAY, required=True, help="The last day to keep it.")
@form_option
def expire(saveset: str, day: date, form: str) -> None:
    """Give all copies of a saveset another EOL, earlier or later."""
    from sesam.service import keeping as service

    site = open_site()
    Renderer(form, site.zone).one(service.set_eol(site, saveset, day), _ROW)


@click.command(
    "remove", cls=Command, example=f"sm_backup remove {_SAVESET} --with-dependents"
)
@click.argument("saveset", nargs=-1, required=True)
@click.option(
    "--with-dependents", is_flag=True, help="And all savesets that build on it."
)
@family.yes_option
@family.dry_run_option
@form_option
def remove(
    saveset: tuple[str, ...],
    with_dependents: bool,
    yes: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Remove savesets: from the catalog first, then their bytes."""
    from sesam.service import keeping as service

    site = open_site()
    plan = service.plan(site, saveset, with_dependents=with_dependents)
    renderer = Renderer(form, site.zone)
    rows: list[dict[str, Any]] = plan.rows()
    if dry_run:
        return renderer.rows(rows, PLAN)
    confirm(f"Remove {_counted(rows)}?", yes)
    rows = service.remove(site, plan, service.Run(stop_by_signal))
    renderer.rows(rows, PLAN)
    waiting = [row for row in rows if row["state"] in ("waiting", "kept")]
    if waiting:
        click.echo(f"{len(waiting)} copies are still there: sm_job list", err=True)
        end_with_warnings()
    return None


def _counted(rows: list[dict[str, Any]]) -> str:
    names = sorted({row["saveset"] for row in rows})
    return f'saveset "{names[0]}"' if len(names) == 1 else f"{len(names)} savesets"
