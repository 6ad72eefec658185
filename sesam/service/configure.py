"""Changing clients, tasks, task groups: checked as a whole, then one transaction."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from sesam.catalog import clients, site, tasks
from sesam.errors import Protected, WrongUsage
from sesam.rules.records import DEFAULT_MAX_CHAIN, Client, Task, TaskGroup
from sesam.service.ground.definition import check_definition
from sesam.service.ground.site import Site

# An EOL so far ahead is still a day of the calendar.
MOST_DAYS = 999_999
_MOST_HOURS = 99_999


def facts(record: Any) -> dict[str, Any]:
    """Return a record as a row: field names are the keys."""
    return asdict(record)


# -- clients -------------------------------------------------------------------------


def add_client(here: Site, client: Client) -> None:
    """Add a client. Raises Conflict, WrongUsage."""
    _check_client(client)
    here.catalog.apply(lambda: clients.add_client(client))


def modify_client(here: Site, client: Client) -> None:
    """Change a client. Raises NotFound, WrongUsage."""
    _check_client(client)
    here.catalog.apply(lambda: clients.modify_client(client))


def remove_client(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a client. Raises NotFound, Protected."""
    if name == site.get(site.CLIENT):
        raise Protected(f'client "{name}" is this machine')
    removing(here, dry_run, lambda: clients.remove_client(name))


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

    here.catalog.apply(change)


def modify_task(here: Site, task: Task) -> None:
    """Change a task. Raises NotFound, WrongUsage."""
    task = _checked_task(task)

    def change() -> None:
        before = tasks.get_task(task.name).rpo
        tasks.modify_task(task)
        if bool(before) != bool(task.rpo):
            tasks.watch_rpo(task.name, here.clock() if task.rpo else None)

    here.catalog.apply(change)


def remove_task(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task. Raises NotFound, Protected."""
    removing(here, dry_run, lambda: tasks.remove_task(name))


def add_task_group(here: Site, group: TaskGroup) -> None:
    """Add a task group. Raises Conflict, WrongUsage, NotFound."""
    here.catalog.apply(lambda: tasks.add_group(group))


def modify_task_group(here: Site, group: TaskGroup) -> None:
    """Change a task group. Raises NotFound."""
    here.catalog.apply(lambda: tasks.modify_group(group))


def remove_task_group(here: Site, name: str, *, dry_run: bool) -> None:
    """Remove a task group; its tasks stay. Raises NotFound."""
    removing(here, dry_run, lambda: tasks.remove_group(name))


def _checked_task(task: Task) -> Task:
    if not task.sources:
        raise WrongUsage(f'task "{task.name}" has no source', hint="--source PATH")
    check_definition(task)
    _check_chain(task)
    return task if task.client else replace(task, client=site.get(site.CLIENT))


def _check_chain(task: Task) -> None:
    if not 0 <= task.max_chain <= DEFAULT_MAX_CHAIN:
        raise WrongUsage(f"--max-chain {task.max_chain} is not from 0 to 100")
    if not 0 <= task.full_every <= MOST_DAYS:
        raise WrongUsage(f"--full-every is 0, for never, to {MOST_DAYS} days")
    if not 0 <= task.rpo <= _MOST_HOURS:
        raise WrongUsage(f"--rpo is 0, for none, to {_MOST_HOURS} hours")


class _DryRun(Exception):
    """Takes back what a dry run has tried."""


def removing(here: Site, dry_run: bool, remove: Callable[[], object]) -> None:
    """Remove in one transaction; a dry run does the same and takes it back."""

    def change() -> None:
        remove()
        if dry_run:
            raise _DryRun

    try:
        here.catalog.apply(change)
    except _DryRun:
        return
