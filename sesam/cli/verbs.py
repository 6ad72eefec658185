"""The verbs that every kind of object has: list, show, remove."""

from collections.abc import Sequence
from typing import Any

import click

from sesam.cli.family import (
    Command,
    confirm,
    dry_run_option,
    form_option,
    yes_option,
)
from sesam.cli.render import Column, Renderer
from sesam.cli.site import open_site

NOTE = click.option("--note", metavar="TEXT", help="What you want to remember of it.")


def add_verbs(
    group: click.Group,
    what: str,
    *,
    path: str,
    catalog: str,
    remover: str,
    columns: Sequence[Column],
    plural: str = "",
) -> None:
    """Add list, show and remove.

    what -- kind of object for people; path -- as typed, `sm_task group`;
    catalog -- `module:list_x:get_x` of the catalog;
    remover -- `module:remove_x` of the services. Modules are loaded when a verb runs.
    """
    plural = plural or what + "s"
    named = "NAME"

    @group.command("list", cls=Command, example=f"{path} list")
    @form_option
    def list_(form: str) -> None:
        site = open_site()
        listed, _ = _loaded("catalog", catalog)
        from sesam.service.configure import facts

        Renderer(form, site.zone).rows(map(facts, listed()), columns)

    list_.help = f"List the {plural}."

    @group.command("show", cls=Command, example=f"{path} show {named}")
    @click.argument("name")
    @form_option
    def show(name: str, form: str) -> None:
        site = open_site()
        _, get = _loaded("catalog", catalog)
        from sesam.service.configure import facts

        Renderer(form, site.zone).one(facts(get(name)), columns)

    show.help = f"Show one {what}."

    @group.command("remove", cls=Command, example=f"{path} remove {named} --yes")
    @click.argument("name")
    @yes_option
    @dry_run_option
    def remove(name: str, yes: bool, dry_run: bool) -> None:
        site = open_site()
        if not dry_run:
            confirm(f'Remove {what} "{name}"?', yes)
        (removing,) = _loaded("service", remover)
        removing(site, name, dry_run=dry_run)
        done = "would be removed" if dry_run else "removed"
        click.echo(f'{what} "{name}" {done}', err=True)

    remove.help = f"Remove a {what} that nothing needs any more."


def _loaded(room: str, spec: str) -> list[Any]:
    """Return the functions that `module:function:...` names in a room."""
    from importlib import import_module

    module, *functions = spec.split(":")
    found = import_module(f"sesam.{room}.{module}")
    return [getattr(found, one) for one in functions]


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were typed: what a modify changes."""
    return {key: value for key, value in values.items() if value not in (None, ())}


def said(text: str) -> None:
    """Tell people what was done; programs read the exit code."""
    click.echo(text, err=True)
