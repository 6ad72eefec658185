"""sm_event: what is done on a schedule, by hand, or after something else."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer
from sesam.cli.site import open_site
from sesam.cli.verbs import NOTE, add_verbs, given, tell

_TYPES = (
    *("backup", "migration", "replication", "restore", "media"),
    "command",
)
_LEVELS = ("FULL", "DIFF", "INCR", "COPY")


@family.family(
    "sm_event", "sm_event add nightly --type backup --schedule DAILY --group nightly"
)
def event() -> None:
    """What is done on a schedule, by hand, or after something else."""


_COLUMNS = [
    Column("name"),
    Column("type"),
    Column("schedule"),
    Column("task"),
    Column("group"),
    Column("level"),
    Column("priority", right=True),
    Column("blocking"),
    Column("enabled"),
]

add_verbs(
    event,
    "event",
    path="sm_event",
    catalog="events:list_events:get_event",
    remover="configure_events:remove_event",
    record="event:Event",
    columns=_COLUMNS,
)


@event.command("list", cls=Command, example="sm_event list --without-schedule")
@click.option(
    "--without-schedule", is_flag=True, help="Those that run by hand or follow alone."
)
@form_option
def list_(without_schedule: bool, form: str) -> None:
    """List the events."""
    from sesam.catalog.events import list_events
    from sesam.cli.verbs import keys
    from sesam.service.configure import facts

    site = open_site()
    found = [one for one in list_events() if not (without_schedule and one.schedule)]
    Renderer(form, site.zone).rows(
        list(map(facts, found)), _COLUMNS, keys("event:Event")
    )


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `add` and `modify` share."""
    for option in (
        NOTE,
        click.option(
            "--retry-after", type=int, metavar="MIN", help="Minutes until a retry."
        ),
        click.option(
            "--retries",
            type=int,
            metavar="N",
            help="How often a job that fails is done again.",
        ),
        click.option("--target", metavar="DIR", help="Where a restore goes."),
        click.option(
            "--time-limit", type=int, metavar="MIN", help="Minutes a command may take."
        ),
        click.option("--user", metavar="NAME", help="Whom a command runs as."),
        click.option(
            "--argument",
            "arguments",
            multiple=True,
            metavar="A",
            help="Of a command; may be repeated.",
        ),
        click.option(
            "--command", metavar="NAME", help="A program in etc/commands.d of the site."
        ),
        click.option(
            "--action",
            type=click.Choice(["init", "readcheck", "close", "inventory"]),
            help="What is done to media.",
        ),
        click.option("--drive-group", metavar="G", help="For media: any of these."),
        click.option("--drive", metavar="D", help="For media: this one."),
        click.option(
            "--follow-on",
            type=click.Choice(["ok", "warning"]),
            help="Follow jobs that end so, or better; default: warning.",
        ),
        click.option("--follow", metavar="EVENT", help="Start after each job of it."),
        click.option(
            "--fallback/--no-fallback",
            default=None,
            help="Run after all where the suppressor fails.",
        ),
        click.option(
            "--blocking/--no-blocking",
            default=None,
            help="Never run; block equal events of lower priority on its backup day.",
        ),
        click.option("--priority", type=int, metavar="0..99", help="Default: 1."),
        click.option("--pool", metavar="P", help="Default: the task's."),
        click.option(
            "--level",
            type=click.Choice(_LEVELS, case_sensitive=False),
            help="Of a backup; default: FULL if there is none yet, else INCR.",
        ),
        click.option("--group", metavar="G", help="Each task of a task group."),
        click.option("--task", metavar="T", help="One task."),
        click.option("--schedule", metavar="S", help="When; default: by hand."),
    ):
        function = option(function)
    return function


@event.command(
    cls=Command,
    example="sm_event add monthly --type backup --schedule MONTHLY --group nightly"
    " --level FULL --priority 3",
)
@click.argument("name")
@click.option(
    "--type",
    "kind",
    type=click.Choice(_TYPES),
    required=True,
    help="What it does.",
)
@click.option("--off", is_flag=True, help="Switched off.")
@_options
@form_option
def add(name: str, kind: str, off: bool, form: str, **values: Any) -> None:
    """Add an event."""
    from sesam.catalog.events import get_event
    from sesam.rules.decision import EventType
    from sesam.rules.event import Event
    from sesam.service import configure_events

    site = open_site()
    made = Event(name, EventType(kind), enabled=not off, **_given(values))
    configure_events.add_event(site, made)
    tell(form, get_event(name), f'event "{name}" added')


@event.command(cls=Command, example="sm_event modify monthly --priority 5")
@click.argument("name")
@click.option("--no-schedule", is_flag=True, help="By hand alone.")
@click.option("--no-follow", is_flag=True, help="Follow nothing.")
@click.option("--no-argument", is_flag=True, help="Drop the arguments of before.")
@_options
@form_option
def modify(
    name: str,
    no_schedule: bool,
    no_follow: bool,
    no_argument: bool,
    form: str,
    **values: Any,
) -> None:
    """Change an event; what is not given stays, what is given replaces."""
    from sesam.catalog.events import get_event
    from sesam.service import configure_events

    site = open_site()
    changed = _given(values)
    if no_schedule:
        changed["schedule"] = ""
    if no_follow:
        changed["follow"] = ""
    if no_argument:
        changed.setdefault("arguments", ())
    if "task" in changed:
        changed.setdefault("group", "")
    elif "group" in changed:
        changed["task"] = ""
    configure_events.modify_event(site, replace(get_event(name), **changed))
    tell(form, get_event(name), f'event "{name}" modified')


@event.command(cls=Command, example="sm_event on monthly")
@click.argument("name")
@form_option
def on(name: str, form: str) -> None:
    """Switch an event on: it has occurrences from now."""
    from sesam.catalog.events import get_event
    from sesam.service import configure_events

    configure_events.switch(open_site(), name, on=True)
    tell(form, get_event(name), f'event "{name}" is on')


@event.command(cls=Command, example="sm_event off monthly")
@click.argument("name")
@click.option("--force", is_flag=True, help="NEWDAY, too.")
@form_option
def off(name: str, force: bool, form: str) -> None:
    """Switch an event off: its occurrences never start."""
    from sesam.catalog.events import get_event
    from sesam.service import configure_events

    configure_events.switch(open_site(), name, on=False, force=force)
    tell(form, get_event(name), f'event "{name}" is off')


@event.command(cls=Command, example="sm_event run monthly")
@click.argument("name")
@form_option
def run(name: str, form: str) -> None:
    """Start an event now, in workers; priorities of others do not matter."""
    from sesam.catalog.events import get_event
    from sesam.service import starting

    site = open_site()
    started = starting.start_now(site, get_event(name))
    rows = [
        {
            "job": one.id,
            "type": one.type,
            "object": one.object,
            "state": one.state.value,
        }
        for one in started
    ]
    Renderer(form, site.zone).rows(rows, [Column(key) for key in rows[0]])


def _given(values: dict[str, Any]) -> dict[str, Any]:
    from sesam.terms import Level

    found = given(values)
    if "level" in found:
        found["level"] = Level(found["level"].upper())
    if "target" in found:
        found["target"] = os.path.abspath(found["target"])
    return found


def main() -> None:
    """Run sm_event."""
    family.run(event)


if __name__ == "__main__":
    main()
