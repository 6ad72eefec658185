r"""Excludes: shell globs and regular expressions over absolute paths.

- `/srv/tmp`   begins with a slash: anchored, the path from the root
- `*.o`        no slash in front: anywhere, beginning at a component
- `cache/`     a slash at the end: directories alone
- `*` `?` `[a-z]` `[!a-z]` never match a slash; `**` matches any number of components
- `re:EXPR`    a regular expression, found anywhere in the path; `^` and `$` anchor it
- `\` takes the meaning from the character behind it

A directory that matches is left out with all below it. man 8 sm_task, EXCLUDES.
"""

import re
from collections.abc import Sequence

from sesam.errors import WrongUsage

_REGEX = "re:"


class Excludes:
    """Compiled patterns; `matches` is called once for each object of the walk."""

    def __init__(
        self,
        anything: list[bytes],
        directories: list[bytes],
        regexes: list[re.Pattern[bytes]],
    ) -> None:
        self._anything = _any_of(anything)
        self._directories = _any_of(anything + directories)
        # Apart from each other: flags, names and numbers of groups are their own.
        self._regexes = regexes

    def matches(self, path: bytes, is_directory: bool) -> bool:
        """Tell whether the object at the absolute `path` is left out."""
        chosen = self._directories if is_directory else self._anything
        if chosen is not None and chosen.search(path) is not None:
            return True
        return any(regex.search(path) is not None for regex in self._regexes)


def compile_excludes(patterns: Sequence[str]) -> Excludes:
    """Compile patterns. Raises WrongUsage that names the one that is none."""
    anything: list[bytes] = []
    directories: list[bytes] = []
    regexes: list[re.Pattern[bytes]] = []
    for pattern in patterns:
        if pattern.startswith(_REGEX) and len(pattern) > len(_REGEX):
            regexes.append(_regex(pattern))
            continue
        bare = pattern.rstrip("/")
        expression = _glob(_raw(bare))
        if not expression or pattern == _REGEX:
            raise WrongUsage(f'the exclude "{pattern}" names nothing')
        try:
            re.compile(expression)
        except re.error as error:
            raise WrongUsage(
                f'the exclude "{pattern}" is no pattern: {error}'
            ) from error
        (anything if bare == pattern else directories).append(expression)
    return Excludes(anything, directories, regexes)


def _raw(text: str) -> bytes:
    # As the command line decodes file names: any byte survives.
    return text.encode("utf-8", "surrogateescape")


def _regex(pattern: str) -> re.Pattern[bytes]:
    try:
        return re.compile(_raw(pattern[len(_REGEX) :]), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise WrongUsage(
            f'the exclude "{pattern}" is no regular expression: {error}'
        ) from error


def read_patterns(text: str) -> list[str]:
    """Return the patterns of a file: one a line; empty lines and `#` lines are none."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _any_of(expressions: list[bytes]) -> re.Pattern[bytes] | None:
    if not expressions:
        return None
    return re.compile(b"|".join(b"(?:%b)" % one for one in expressions), re.DOTALL)


def _glob(pattern: bytes) -> bytes:
    """Return the regular expression of a glob, b"" for an empty one."""
    anchored = pattern.startswith(b"/")
    components = [one for one in pattern.split(b"/") if one]
    if not components:
        return b""
    expression = b"^" if anchored else b""
    for component in components[:-1]:
        expression += b"(?:/[^/]+)*" if component == b"**" else b"/" + _part(component)
    last = components[-1]
    # At the end: what is below, not the directory itself.
    expression += b"(?:/[^/]+)+" if last == b"**" else b"/" + _part(last)
    return expression + rb"\Z"


def _part(component: bytes) -> bytes:
    """Return the regular expression of one component of a glob."""
    found = b""
    at = 0
    while at < len(component):
        one = component[at : at + 1]
        at += 1
        if one == b"*":
            found += b"[^/]*"
        elif one == b"?":
            found += b"[^/]"
        elif one == b"[":
            part, at = _set(component, at)
            found += part
        elif one == b"\\" and at < len(component):
            found += re.escape(component[at : at + 1])
            at += 1
        else:
            found += re.escape(one)
    return found


def _set(component: bytes, at: int) -> tuple[bytes, int]:
    """Return the expression of the set behind a `[`, and where it ends.

    A bracket that is never closed stands for itself, as in the shell.
    """
    begin = at
    negated = component[at : at + 1] in (b"!", b"^")
    at += negated
    # A closing bracket in the first place is a member of the set.
    end = component.find(b"]", at + 1)
    if end < 0:
        return rb"\[", begin
    members = component[at:end].replace(b"\\", b"\\\\").replace(b"[", b"\\[")
    for sign in (b"&&", b"~~", b"||", b"--"):
        members = members.replace(sign, b"\\" + sign[:1] + b"\\" + sign[1:])
    members = members.replace(b"^", b"\\^").replace(b"]", b"\\]")
    return (b"[^/%b]" if negated else b"(?!/)[%b]") % members, end + 1
