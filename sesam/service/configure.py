"""Changing clients, tasks, task groups: checked as a whole, then one transaction."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

from sesam.catalog import clients, site, tasks
from sesam.errors import NotFound, Protected, WrongUsage
from sesam.rules.difference import difference
from sesam.rules.records import DEFAULT_MAX_CHAIN, Client, Task, TaskGroup
from sesam.service.ground.audit import record
from sesam.service.ground.definition import check_definition
from sesam.service.ground.site import Site

# An EOL so far ahead is still a day of the calendar.
MOST_DAYS = 999_999
_MOST_HOURS = 99_999


class Kind(NamedTuple):
    """A kind of object: the word for people, and how the catalog is asked for one."""

    word: str
    get: Callable[[str], Any]


_CLIENT = Kind("client", clients.get_client)
_TASK = Kind("task", tasks.get_task)
_TASK_GROUP = Kind("task group", tasks.get_group)


def facts(record: Any) -> dict[str, Any]:
    """Return a record as a row: field names are the keys."""
    named: Any = record
    return dict(named._asdict()) if isinstance(record, tuple) else asdict(named)


# -- clients -------------------------------------------------------------------------


def add_client(here: Site, client: Client) -> None:
    """Add a client. Raises Conflict, WrongUsage."""
    _check_client(client)
    changing(here, _CLIENT, client.name, lambda: clients.add_client(client), new=True)


def modify_client(here: Site, client: Client) -> None:
    """Change a client. Raises NotFound, WrongUsage."""
    _check_client(client)
    changing(
        here,
        _CLIENT,
        client.name,
        lambda: clients.modify_client(client),
    )


def remove_client(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a client. Raises NotFound, Protected."""
    if name == site.get(site.CLIENT):
        raise Protected(f'client "{name}" is this machine')
    removing(here, _CLIENT, name, clients.remove_client, dry_run=dry_run)


def _check_client(client: Client) -> None:
    # A destination that begins with a dash would be an option of ssh.
    if client.ssh.startswith("-") or any(c.isspace() for c in client.ssh):
        raise WrongUsage(f'"{client.ssh}" is no destination for ssh', hint="USER@HOST")
    if client.program and not client.program.startswith("/"):
        raise WrongUsage(f'--program "{client.program}" is no absolute path')


# -- tasks ---------------------------------------------------------------------------


def add_task(here: Site, task: Task) -> None:
    """Add a task; no client = this machine's. Raises Conflict, WrongUsage."""
    task = _checked_task(task)

    def change() -> None:
        tasks.add_task(task)
        if task.rpo:
            tasks.watch_rpo(task.name, here.clock())

    changing(here, _TASK, task.name, change, new=True)


def modify_task(here: Site, task: Task) -> None:
    """Change a task. Raises NotFound, WrongUsage."""
    task = _checked_task(task)

    def change() -> None:
        before = tasks.get_task(task.name).rpo
        tasks.modify_task(task)
        if bool(before) != bool(task.rpo):
            tasks.watch_rpo(task.name, here.clock() if task.rpo else None)

    changing(here, _TASK, task.name, change)


def remove_task(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task. Raises NotFound, Protected."""
    removing(here, _TASK, name, tasks.remove_task, dry_run=dry_run)


def add_task_group(here: Site, group: TaskGroup) -> None:
    """Add a task group. Raises Conflict, WrongUsage, NotFound."""
    changing(here, _TASK_GROUP, group.name, lambda: tasks.add_group(group), new=True)


def modify_task_group(here: Site, group: TaskGroup) -> None:
    """Change a task group. Raises NotFound."""
    changing(
        here,
        _TASK_GROUP,
        group.name,
        lambda: tasks.modify_group(group),
    )


def remove_task_group(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task group; its tasks stay. Raises NotFound."""
    removing(here, _TASK_GROUP, name, tasks.remove_group, dry_run=dry_run)


def _checked_task(task: Task) -> Task:
    if not task.sources:
        raise WrongUsage(f'task "{task.name}" has no source', hint="--source PATH")
    check_definition(task)
    _check_chain(task)
    return task if task.client else task._replace(client=site.get(site.CLIENT))


def _check_chain(task: Task) -> None:
    if not 0 <= task.max_chain <= DEFAULT_MAX_CHAIN:
        raise WrongUsage(f"--max-chain {task.max_chain} is not from 0 to 100")
    if not 0 <= task.full_every <= MOST_DAYS:
        raise WrongUsage(f"--full-every is 0, for never, to {MOST_DAYS} days")
    if not 0 <= task.rpo <= _MOST_HOURS:
        raise WrongUsage(f"--rpo is 0, for none, to {_MOST_HOURS} hours")


def changing(
    here: Site,
    kind: Kind,
    name: str,
    change: Callable[[], object],
    *,
    new: bool = False,
) -> None:
    """Carry out a change of an object together with its row in the audit.

    new -- there is none of that name before
    """

    def recorded() -> None:
        # Who asks for what is not there pays for names that are like it.
        before = None if new else _known(kind.get, name)
        change()
        after = _known(kind.get, name)
        if before != after:
            verb = "modify" if before and after else "add" if after else "remove"
            record(here, f"{verb} {kind.word}", name, difference(before, after))

    here.catalog.apply(recorded)


def _known(get: Callable[[str], Any], name: str) -> dict[str, Any] | None:
    try:
        return facts(get(name))
    except NotFound:
        return None


class _DryRun(Exception):
    """Takes back what a dry run has tried."""


def removing(
    here: Site,
    kind: Kind,
    name: str,
    remove: Callable[[str], object],
    *,
    dry_run: bool,
) -> None:
    """Remove in one transaction; a dry run does the same and takes it back."""

    def change() -> None:
        remove(name)
        if dry_run:
            raise _DryRun

    try:
        changing(here, kind, name, change)
    except _DryRun:
        return
