"""Tasks and task groups in the catalog."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sesam.catalog.fields import InstantField
from sesam.catalog.names import find, find_or_none, refuse_known, refuse_needed
from sesam.catalog.tables import (
    ClientRow,
    EventRow,
    MediaPoolRow,
    SavesetRow,
    TaskGroupMemberRow,
    TaskGroupRow,
    TaskRow,
    TaskSourceRow,
    database,
)
from sesam.rules.naming import check_name
from sesam.rules.records import Task, TaskGroup

_TASK, _GROUP = "task", "task group"


class Watched(NamedTuple):
    """A task with an RPO: hours, since when, start of its newest good saveset."""

    task: str
    rpo: int
    since: datetime | None
    newest: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Tell whether there is no good saveset within the RPO."""
        last = self.newest or self.since
        return last is not None and now - last > timedelta(hours=self.rpo)


def list_tasks() -> list[Task]:
    """Return all tasks by name."""
    return [_record(row) for row in TaskRow.select().order_by(TaskRow.name)]


def pools_of_tasks() -> dict[str, str]:
    """Return the pools that tasks have of their own, by the task's name."""
    query: Any = TaskRow.select(TaskRow.name, MediaPoolRow.name).join(MediaPoolRow)
    return dict(query.tuples())


def get_task(name: str) -> Task:
    """Return a task. Raises NotFound."""
    return _record(find(TaskRow, _TASK, name))


def add_task(task: Task) -> None:
    """Add a task. Raises Conflict, WrongUsage, NotFound for what it refers to."""
    check_name(_TASK, task.name)
    refuse_known(TaskRow, _TASK, task.name)
    _fill(TaskRow.create(**_values(task)), task)


def modify_task(task: Task) -> None:
    """Give the task of that name these values. Raises NotFound."""
    row = find(TaskRow, _TASK, task.name)
    TaskRow.update(**_values(task)).where(TaskRow.id == row.id).execute()
    _fill(row, task)


def watch_rpo(name: str, since: datetime | None) -> None:
    """From now on a task has an RPO, or none: None; within `change`."""
    TaskRow.update(rpo_since=since).where(TaskRow.name == name).execute()


def watched_tasks() -> list[Watched]:
    """Return the tasks with an RPO, and when their newest good saveset started.

    One look into an index for each, however many savesets there are.
    """
    # In literals: the partial index is found by the very words of its condition.
    newest = (
        "SELECT s.started_at FROM saveset s WHERE s.task = t.name"
        " AND s.state IN ('ok', 'warning') ORDER BY s.started_at DESC LIMIT 1"
    )
    rows = database.execute_sql(
        f"SELECT t.name, t.rpo, t.rpo_since, ({newest}) FROM task t WHERE t.rpo > 0"
        " ORDER BY t.name"
    )
    read = InstantField().python_value
    return [Watched(name, rpo, read(a), read(b)) for name, rpo, a, b in rows]


def remove_task(name: str) -> None:
    """Remove a task. Raises NotFound, Protected while savesets or events need it."""
    row = find(TaskRow, _TASK, name)
    savesets = SavesetRow.select().where(SavesetRow.task == name).limit(4)
    events = EventRow.select().where(EventRow.task == row).limit(4)
    refuse_needed(
        _TASK,
        name,
        [
            ("saveset", [one.name for one in savesets]),
            ("event", [one.name for one in events]),
        ],
    )
    row.delete_instance()


def list_groups() -> list[TaskGroup]:
    """Return all task groups by name."""
    rows = TaskGroupRow.select().order_by(TaskGroupRow.name)
    return [_group(row) for row in rows]


def get_group(name: str) -> TaskGroup:
    """Return a task group. Raises NotFound."""
    return _group(find(TaskGroupRow, _GROUP, name))


def add_group(group: TaskGroup) -> None:
    """Add a task group. Raises Conflict, WrongUsage, NotFound for its tasks."""
    check_name(_GROUP, group.name)
    refuse_known(TaskGroupRow, _GROUP, group.name)
    row = TaskGroupRow.create(name=group.name, note=group.note)
    _set_members(row, group.tasks)


def modify_group(group: TaskGroup) -> None:
    """Give the group of that name these tasks and note. Raises NotFound."""
    row = find(TaskGroupRow, _GROUP, group.name)
    row.note = group.note
    row.save()
    _set_members(row, group.tasks)


def remove_group(name: str) -> None:
    """Remove a task group; its tasks stay. Raises NotFound, Protected."""
    row = find(TaskGroupRow, _GROUP, name)
    events = EventRow.select().where(EventRow.group == row).limit(4)
    refuse_needed(_GROUP, name, [("event", [one.name for one in events])])
    row.delete_instance()


def _record(row: Any) -> Task:
    sources = (
        TaskSourceRow.select()
        .where(TaskSourceRow.task == row)
        .order_by(TaskSourceRow.position)
    )
    groups = (
        TaskGroupRow.select()
        .join(TaskGroupMemberRow)
        .where(TaskGroupMemberRow.task == row)
        .order_by(TaskGroupRow.name)
    )
    return Task(
        name=row.name,
        client=row.client.name,
        sources=tuple(bytes(one.path) for one in sources),
        type=row.type,
        excludes=row.excludes,
        exclude_caches=row.exclude_caches,
        exclude_if_present=row.exclude_if_present,
        one_file_system=row.one_file_system,
        recipients=row.recipients,
        zstd_level=row.zstd_level,
        segment_bytes=row.segment_bytes,
        pool=row.pool.name if row.pool else "",
        groups=tuple(one.name for one in groups),
        note=row.note,
        max_chain=row.max_chain,
        full_every=row.full_every,
        rpo=row.rpo,
    )


def _values(task: Task) -> dict[str, object]:
    return {
        "name": task.name,
        "client": find(ClientRow, "client", task.client),
        "type": task.type,
        "excludes": task.excludes,
        "exclude_caches": task.exclude_caches,
        "exclude_if_present": task.exclude_if_present,
        "one_file_system": task.one_file_system,
        "recipients": task.recipients,
        "zstd_level": task.zstd_level,
        "segment_bytes": task.segment_bytes,
        "pool": find_or_none(MediaPoolRow, "media pool", task.pool),
        "note": task.note,
        "max_chain": task.max_chain,
        "full_every": task.full_every,
        "rpo": task.rpo,
    }


def _fill(row: Any, task: Task) -> None:
    TaskSourceRow.delete().where(TaskSourceRow.task == row).execute()
    for position, path in enumerate(task.sources):
        TaskSourceRow.create(task=row, position=position, path=path)
    TaskGroupMemberRow.delete().where(TaskGroupMemberRow.task == row).execute()
    for name in dict.fromkeys(task.groups):
        group = find(TaskGroupRow, _GROUP, name)
        TaskGroupMemberRow.create(group=group, task=row)


def _group(row: Any) -> TaskGroup:
    members = (
        TaskRow.select()
        .join(TaskGroupMemberRow)
        .where(TaskGroupMemberRow.group == row)
        .order_by(TaskRow.name)
    )
    return TaskGroup(row.name, tuple(one.name for one in members), row.note)


def _set_members(row: Any, tasks: Iterable[str]) -> None:
    TaskGroupMemberRow.delete().where(TaskGroupMemberRow.group == row).execute()
    for name in dict.fromkeys(tasks):
        TaskGroupMemberRow.create(group=row, task=find(TaskRow, _TASK, name))
