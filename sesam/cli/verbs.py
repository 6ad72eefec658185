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
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site

NOTE = click.option("--note", metavar="TEXT", help="What you want to remember of it.")


def add_verbs(
    group: click.Group,
    what: str,
    *,
    path: str,
    catalog: str,
    remover: str,
    record: str | Sequence[str],
    columns: Sequence[Column],
    plural: str = "",
    facts: str = "configure:facts",
    shown: Sequence[Column] = (),
) -> None:
    """Add list, show and remove.

    what -- kind of object for people; path -- as typed, `sm_task group`;
    catalog -- `module:list_x:get_x` of the catalog;
    remover -- `module:remove_x` of the services;
    record -- class of such an object in rules/records, `module:Class` of another of
    the rules, or the keys of its rows;
    facts -- `module:function` of the services that makes a row of it;
    shown -- further columns of `show`. Modules are loaded when a verb runs.
    """
    plural = plural or what + "s"
    named = "NAME"

    @group.command("list", cls=Command, example=f"{path} list")
    @form_option
    def list_(form: str) -> None:
        site = open_site()
        listed, _ = _loaded("catalog", catalog)
        (row_of,) = _loaded("service", facts)
        names = keys(record) if isinstance(record, str) else record
        Renderer(form, site.zone).rows(map(row_of, listed()), columns, names)

    list_.help = f"List the {plural}."

    @group.command("show", cls=Command, example=f"{path} show {named}")
    @click.argument("name")
    @form_option
    def show(name: str, form: str) -> None:
        site = open_site()
        _, get = _loaded("catalog", catalog)
        (row_of,) = _loaded("service", facts)
        Renderer(form, site.zone).one(row_of(get(name)), [*columns, *shown])

    show.help = f"Show one {what}."

    @group.command("remove", cls=Command, example=f"{path} remove {named} --yes")
    @click.argument("name")
    @yes_option
    @dry_run_option
    @form_option
    def remove(name: str, yes: bool, dry_run: bool, form: str) -> None:
        site = open_site()
        _, get = _loaded("catalog", catalog)
        (removing,) = _loaded("service", remover)
        (row_of,) = _loaded("service", facts)
        was = row_of(get(name))
        if not dry_run:
            confirm(f'Remove {what} "{name}"?', yes)
        removing(site, name, dry_run=dry_run)
        done = "would be removed" if dry_run else "removed"
        tell(form, was, f'{what} "{name}" {done}')

    article = "an" if what[0] in "aeiou" else "a"
    remove.help = f"Remove {article} {what} that nothing needs any more."


def tell(form: str, record: Any, text: str) -> None:
    """Say what was done: to people a sentence, to programs the object, as `show` does.

    record -- the object, or its row; of what was removed it is the object as it was.
    """
    from sesam.service.configure import facts

    if form == "table":
        click.echo(printable(text), err=True)
    else:
        row = record if isinstance(record, dict) else facts(record)
        Renderer(form, open_site().zone).one(row)


def keys(record: str) -> list[str]:
    """Return the keys of a record's rows, in order."""
    module, _, name = record.rpartition(":")
    (one,) = _loaded("rules", f"{module or 'records'}:{name}")
    found = []
    for name, kind in one.__annotations__.items():
        found.append(name)
        if "bytes" in str(kind):
            found.append(f"{name}_b64")
    return found


def _loaded(room: str, spec: str) -> list[Any]:
    """Return the functions that `module:function:...` names in a room."""
    from importlib import import_module

    module, *functions = spec.split(":")
    found = import_module(f"sesam.{room}.{module}")
    return [getattr(found, one) for one in functions]


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were typed: what a modify changes."""
    return {key: value for key, value in values.items() if value not in (None, ())}
