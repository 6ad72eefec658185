"""What an admin asks of a schedule, made the schedule: forms, hours, validity."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any

from sesam.errors import WrongUsage
from sesam.rules import forms
from sesam.rules.rrule import parse_rule, schedule_text
from sesam.rules.schedule import Schedule

FORMS = ("rrule", "every", "weekly", "monthly", "yearly", "once")
Between = tuple[time, time]


def asked(schedule: Schedule, wishes: Mapping[str, Any]) -> Schedule:
    """Return a schedule changed as asked for; what is not in `wishes` stays.

    wishes -- fields of Schedule by name; `between` -- (begin, end) of a cycle's day,
    None for none; one of FORMS -- the text of that form, of `once` its date; None for
    no rule. Raises WrongUsage.
    """
    fields = {key: value for key, value in wishes.items() if key not in FORMS}
    fields |= _hours(schedule, fields)
    fields |= _rule(schedule, wishes, fields)
    made = replace(schedule, **fields)
    # The hours of a cycle go with it.
    if "between" not in wishes and "rule" in fields and not _is_cycle(made):
        return replace(made, between_end=None)
    return made


def _is_cycle(schedule: Schedule) -> bool:
    text = schedule.effective_rule
    return bool(text) and parse_rule(text).is_cycle


def _rule(
    schedule: Schedule, wishes: Mapping[str, Any], fields: dict[str, Any]
) -> dict[str, Any]:
    given = {key: wishes[key] for key in FORMS if key in wishes}
    # A second week, or the hours of some weekdays: the one form of two options.
    every, weekly = given.get("every"), given.get("weekly")
    if set(given) == {"every", "weekly"}:
        rule = schedule_text(forms.every(str(every), str(weekly)))
        return _with(schedule, rule, fields)
    if len(given) > 1:
        options = " and ".join(f"--{key}" for key in given)
        raise WrongUsage(f"{options} say two rules", hint="give one of them")
    for form, value in given.items():
        if value is None:
            return _with(schedule, "", fields)
        if form == "once":
            return _once(value, fields)
        if form == "rrule":
            return _with(schedule, schedule_text(value), fields)
        return _with(schedule, schedule_text(getattr(forms, form)(value)), fields)
    return {}


def _with(schedule: Schedule, rule: str, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"rule": rule}
    if schedule.rule == forms.ONCE and "valid_from" not in fields:
        # The first date was that of the one start of before.
        found["valid_from"] = None
    return found


def _once(day: date, fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("valid_from") not in (None, day):
        raise WrongUsage("--once says its date itself", hint="leave --from out")
    return {"rule": forms.ONCE, "valid_from": day}


def _hours(schedule: Schedule, fields: dict[str, Any]) -> dict[str, Any]:
    """Return start and end of a cycle's day from `between`, which is taken away."""
    ends = schedule.between_end
    if "between" in fields:
        between: Between | None = fields.pop("between")
    elif "start" in fields and ends:
        between = schedule.start, ends
    else:
        return {}
    if between is None:
        return {"between_end": None}
    begin, end = between
    if begin == end and begin != time():
        raise WrongUsage(
            f"--between {begin:%H:%M}-{end:%H:%M} is empty",
            hint="leave it out for the whole day",
        )
    start = fields.get("start", begin)
    if not _is_within(start, begin, end):
        raise WrongUsage(
            f"--start {start:%H:%M} is not within --between {begin:%H:%M}-{end:%H:%M}",
            hint="leave --start out: a cycle begins with --between",
        )
    # Midnight ends every cycle by itself.
    return {"start": start, "between_end": end if end != time() else None}


def _is_within(at: time, begin: time, end: time) -> bool:
    if begin < end:
        return begin <= at < end
    return at >= begin or at < end
