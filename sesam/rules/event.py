"""Events: what is to be done on a schedule, by hand, or after another event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sesam.errors import WrongUsage
from sesam.rules.decision import EventType
from sesam.terms import Level

NEWDAY = "NEWDAY"
ACTIONS = ("init", "readcheck", "close", "inventory")
# After which ends of its predecessor a follow-up starts.
ON_OK, ON_WARNING = "ok", "warning"
_MOST = 99
_OF_TASKS = (
    EventType.BACKUP,
    EventType.MIGRATION,
    EventType.REPLICATION,
    EventType.RESTORE,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to do.

    schedule  -- "" = none: run by hand, from outside, or as a follow-up
    task, group -- of backup, migration, replication; of restore the task
    level     -- of a backup; None = as a start by hand has it
    pool      -- of backup, migration, replication; "" = as the task has it
    priority  -- 0..99; blocking -- never runs, blocks equal events of its backup day
    fallback  -- decided once more where its suppressor comes to nothing
    follow    -- event after whose jobs it starts, when these end `follow_on` or better
    drive, drive_group, action -- of media
    command, arguments, user, time_limit -- of command; minutes, 0 = none
    target    -- directory of a restore
    retries, retry_after -- of a job that fails: how often, after how many minutes
    enabled, since -- switched on, and since when it has occurrences
    """

    name: str
    type: EventType
    schedule: str = ""
    task: str = ""
    group: str = ""
    level: Level | None = None
    pool: str = ""
    priority: int = 1
    blocking: bool = False
    fallback: bool = False
    follow: str = ""
    follow_on: str = ON_WARNING
    drive: str = ""
    drive_group: str = ""
    action: str = ""
    command: str = ""
    arguments: tuple[str, ...] = ()
    user: str = ""
    time_limit: int = 0
    target: str = ""
    retries: int = 0
    retry_after: int = 0
    note: str = ""
    enabled: bool = True
    since: datetime | None = None

    @property
    def object(self) -> str:
        """Return what it is for: the key of equality but for a group's members."""
        return (
            self.task
            or self.group
            or self.command
            or self.drive
            or self.drive_group
            or self.name
        )


# Fields that belong to some types alone, and the options that set them.
_BELONGS: dict[str, tuple[str, tuple[EventType, ...]]] = {
    "task": ("--task", _OF_TASKS),
    "group": ("--group", _OF_TASKS[:3]),
    "level": ("--level", (EventType.BACKUP,)),
    "pool": ("--pool", _OF_TASKS[:3]),
    "drive": ("--drive", (EventType.MEDIA,)),
    "drive_group": ("--drive-group", (EventType.MEDIA,)),
    "action": ("--action", (EventType.MEDIA,)),
    "command": ("--command", (EventType.COMMAND,)),
    "arguments": ("--argument", (EventType.COMMAND,)),
    "user": ("--user", (EventType.COMMAND,)),
    "time_limit": ("--time-limit", (EventType.COMMAND,)),
    "target": ("--target", (EventType.RESTORE,)),
}


def check_event(event: Event) -> None:
    """Refuse what contradicts itself. Raises WrongUsage."""
    for field, (option, types) in _BELONGS.items():
        if getattr(event, field) and event.type not in types:
            raise WrongUsage(
                f'event "{event.name}": {option} is for events of type'
                f" {' and '.join(types)}, not {event.type}"
            )
    for check in (_check_object, _check_numbers):
        if why := check(event):
            raise WrongUsage(f'event "{event.name}": {why}')


def _check_object(event: Event) -> str:
    if event.type in _OF_TASKS and bool(event.task) == bool(event.group):
        one = event.type is EventType.RESTORE
        return "name a task with --task" + ("" if one else ", or a group with --group")
    if event.type is EventType.RESTORE and not event.target.startswith("/"):
        return "say where to with --target, an absolute path"
    if event.type is EventType.MEDIA:
        if bool(event.drive) == bool(event.drive_group):
            return "name a drive with --drive, or a group with --drive-group"
        if event.action not in ACTIONS:
            return f"--action is one of {', '.join(ACTIONS)}"
    if event.type is EventType.COMMAND:
        if not event.command:
            return "name a program with --command"
        if "/" in event.command or event.command.startswith("."):
            return f'"{event.command}" is no name of a program in etc/commands.d'
    return ""


def _check_numbers(event: Event) -> str:
    if not 0 <= event.priority <= _MOST:
        return f"--priority {event.priority} is not from 0 to {_MOST}"
    if event.blocking and not event.priority:
        return "--blocking needs a priority above 0: 0 is never compared"
    if min(event.retries, event.retry_after, event.time_limit) < 0:
        return "--retries, --retry-after and --time-limit are not negative"
    if event.follow and event.blocking:
        return "a blocking event runs never, so it follows no other"
    return ""


def check_follow(event: Event, get: Callable[[str], Event]) -> None:
    """Refuse a follow-up that would start itself over and over. Raises WrongUsage.

    get -- returns an event by name; raises NotFound
    """
    way, name = [event.name], event.follow
    while name:
        if name in way:
            raise WrongUsage(
                f'event "{event.name}" would follow itself:'
                f" {' after '.join([*way, name])}"
            )
        way.append(name)
        name = get(name).follow
