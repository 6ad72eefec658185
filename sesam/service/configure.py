"""Changing clients, tasks, task groups: checked as a whole, then one transaction."""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from sesam.catalog import clients, site, tasks
from sesam.crypt.keys import parse_recipient
from sesam.errors import Protected, WrongUsage
from sesam.rules.exclude import compile_excludes
from sesam.rules.records import DEFAULT_MAX_CHAIN, Client, Task, TaskGroup
from sesam.service.ground.site import Site

TYPES = ("path",)
_SEGMENT_LEAST = 1 << 20


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
    here.catalog.apply(lambda: tasks.add_task(task))


def modify_task(here: Site, task: Task) -> None:
    """Change a task. Raises NotFound, WrongUsage."""
    task = _checked_task(task)
    here.catalog.apply(lambda: tasks.modify_task(task))


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
    for path in task.sources:
        if not path.startswith(b"/") or b"\0" in path:
            raise WrongUsage(f'the source "{os.fsdecode(path)}" is no absolute path')
    if task.type not in TYPES:
        raise WrongUsage(f'there is no task type "{task.type}"', hint="path")
    _check_numbers(task)
    for name in task.exclude_if_present:
        if not name or "/" in name:
            raise WrongUsage(f'"{name}" is no name of a file in a directory')
    compile_excludes(task.excludes)
    for recipient in task.recipients:
        parse_recipient(recipient)
    return task if task.client else replace(task, client=site.get(site.CLIENT))


def _check_numbers(task: Task) -> None:
    if not 1 <= task.zstd_level <= 19:
        raise WrongUsage(f"zstd level {task.zstd_level} is not from 1 to 19")
    if task.segment_bytes < _SEGMENT_LEAST:
        raise WrongUsage("a segment has at least 1M")
    if not 0 <= task.max_chain <= DEFAULT_MAX_CHAIN:
        raise WrongUsage(f"--max-chain {task.max_chain} is not from 0 to 100")
    if task.full_every < 0:
        raise WrongUsage("--full-every is a number of days, 0 for never")


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
