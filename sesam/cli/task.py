"""sm_task: what is backed up, and how."""

import os
from collections.abc import Callable
from typing import Any

import click

from sesam.cli import family
from sesam.cli.family import Command, Family, form_option
from sesam.cli.render import Column
from sesam.cli.site import open_site
from sesam.cli.values import ANY_TEXT, RAW_PATH, SIZE
from sesam.cli.verbs import add_verbs, given, tell


@family.family("sm_task", "sm_task add etc --source /etc --exclude '*.bak'")
def task() -> None:
    """What is backed up: sources on a client, and how."""


@task.group("group", cls=Family, example="sm_task group add nightly --task etc")
def group() -> None:
    """Task groups: tasks that are started together."""


add_verbs(
    task,
    "task",
    path="sm_task",
    catalog="tasks:list_tasks:get_task",
    remover="configure:remove_task",
    record="Task",
    columns=[
        Column("name"),
        Column("client"),
        Column("sources"),
        Column("excludes"),
        Column("pool"),
        Column("groups"),
    ],
)
add_verbs(
    group,
    "task group",
    path="sm_task group",
    catalog="tasks:list_groups:get_group",
    remover="configure:remove_task_group",
    record="TaskGroup",
    columns=[Column("name"), Column("tasks"), Column("note")],
)


_SEVERAL = ("excludes", "exclude_if_present", "groups", "recipients")


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `add` and `modify` share."""
    for option in (
        click.option("--note", metavar="TEXT", help="What you want to remember of it."),
        click.option("--pool", metavar="POOL", help="Default: the site's."),
        click.option("--segment-size", "segment_bytes", type=SIZE, help="Default: 4G."),
        click.option("--zstd-level", type=int, help="1 to 19; default: 3."),
        click.option(
            "--full-every",
            type=int,
            metavar="DAYS",
            help="A FULL again after so many days; 0, the default: never by age.",
        ),
        click.option(
            "--rpo",
            type=int,
            metavar="HOURS",
            help="Alarm without a good saveset for so long; 0, the default: none.",
        ),
        click.option(
            "--max-chain",
            type=int,
            metavar="N",
            help="Savesets that may build on a FULL; default: 100.",
        ),
        click.option("--type", "type", help="What kind of source; `path` is files."),
        click.option(
            "--recipient",
            "recipients",
            multiple=True,
            metavar="AGE",
            help="Encrypt to this age public key; may be repeated.",
        ),
        click.option(
            "--group", "groups", multiple=True, help="Task group; may be repeated."
        ),
        click.option(
            "--one-file-system/--all-file-systems",
            default=None,
            help="Stay on the file system of each source.",
        ),
        click.option(
            "--exclude-if-present",
            multiple=True,
            type=ANY_TEXT,
            metavar="NAME",
            help="A directory that holds NAME keeps NAME alone.",
        ),
        click.option(
            "--exclude-caches/--include-caches",
            default=None,
            help="Leave out what CACHEDIR.TAG marks.",
        ),
        click.option(
            "--exclude-from",
            multiple=True,
            type=click.Path(exists=True, dir_okay=False),
            help="A file of patterns, one a line.",
        ),
        click.option(
            "--exclude",
            "excludes",
            multiple=True,
            type=ANY_TEXT,
            metavar="PATTERN",
            help="Glob, or re:EXPRESSION; may be repeated.",
        ),
        click.option("--client", help="Default: this machine."),
    ):
        function = option(function)
    return function


@task.command(
    cls=Command,
    example="sm_task add home --source /home --exclude '*/.cache/' --exclude-caches",
)
@click.argument("name")
@click.option(
    "--source",
    "sources",
    multiple=True,
    required=True,
    type=RAW_PATH,
    metavar="PATH",
    help="A directory or file to back up; may be repeated.",
)
@_options
@form_option
def add(name: str, form: str, **values: Any) -> None:
    """Add a task."""
    from sesam.catalog.tasks import get_task
    from sesam.rules.records import Task
    from sesam.service import configure

    site = open_site()
    values = _with_patterns(given(values))
    configure.add_task(site, Task(**{"client": "", "name": name, **values}))
    tell(form, get_task(name), f'task "{name}" added')


@task.command(cls=Command, example="sm_task modify home --exclude '*.iso'")
@click.argument("name")
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=RAW_PATH,
    metavar="PATH",
    help="All sources of the task.",
)
@click.option(
    "--no-exclude", "no_excludes", is_flag=True, help="Drop the excludes of before."
)
@click.option("--no-exclude-if-present", is_flag=True, help="Drop the names of before.")
@click.option("--no-group", "no_groups", is_flag=True, help="Leave all task groups.")
@click.option(
    "--no-recipient", "no_recipients", is_flag=True, help="Encrypt no longer."
)
@_options
@form_option
def modify(name: str, form: str, **values: Any) -> None:
    """Change a task; what is not given stays, what is given replaces."""
    from sesam.catalog.tasks import get_task
    from sesam.service import configure

    site = open_site()
    dropped = [key for key in _SEVERAL if values.pop(f"no_{key}")]
    values = _with_patterns(given(values))
    for key in dropped:
        values.setdefault(key, ())
    configure.modify_task(site, get_task(name)._replace(**values))
    tell(form, get_task(name), f'task "{name}" modified')


@group.command("add", cls=Command, example="sm_task group add nightly --task etc")
@click.argument("name")
@click.option("--task", "tasks", multiple=True, help="May be repeated.")
@click.option("--note", metavar="TEXT", help="What you want to remember of it.")
@form_option
def group_add(name: str, form: str, **values: Any) -> None:
    """Add a task group."""
    from sesam.catalog.tasks import get_group
    from sesam.rules.records import TaskGroup
    from sesam.service import configure

    configure.add_task_group(open_site(), TaskGroup(name, **given(values)))
    tell(form, get_group(name), f'task group "{name}" added')


@group.command(
    "modify", cls=Command, example="sm_task group modify nightly --task etc --task home"
)
@click.argument("name")
@click.option("--task", "tasks", multiple=True, help="All tasks of the group.")
@click.option("--no-task", is_flag=True, help="Leave the group empty.")
@click.option("--note", metavar="TEXT", help="What you want to remember of it.")
@form_option
def group_modify(name: str, form: str, no_task: bool, **values: Any) -> None:
    """Change a task group; tasks that are given are all it has then."""
    from sesam.catalog.tasks import get_group
    from sesam.service import configure

    site = open_site()
    values = {**({"tasks": ()} if no_task else {}), **given(values)}
    configure.modify_task_group(site, get_group(name)._replace(**values))
    tell(form, get_group(name), f'task group "{name}" modified')


def _with_patterns(values: dict[str, Any]) -> dict[str, Any]:
    """Join the patterns of files to those of the command line; a file may hold none."""
    from sesam.rules.exclude import read_patterns

    if "excludes" not in values and "exclude_from" not in values:
        return values
    patterns = list(values.pop("excludes", ()))
    for path in values.pop("exclude_from", ()):
        with open(path, "rb") as file:
            patterns += read_patterns(os.fsdecode(file.read()))
    return {**values, "excludes": tuple(patterns)}


def main() -> None:
    """Run sm_task."""
    family.run(task)


if __name__ == "__main__":
    main()
