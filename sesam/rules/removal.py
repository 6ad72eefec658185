"""Removal: which savesets go when an admin names some, and when that is refused."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sesam.errors import Protected
from sesam.rules.retention import Holding, dependents_first

_NAMED = 10


def removal(
    savesets: Sequence[Holding], names: Sequence[str], *, with_dependents: bool
) -> list[Holding]:
    """Return the savesets to remove, each before the one it builds on.

    savesets -- all of the catalog; names -- some of theirs
    Raises Protected where one is locked, or where others build on it that are not to go
    with it.
    """
    wanted = set(names)
    going = _with_dependents(savesets, wanted)
    order = [one for one in dependents_first(savesets) if one.name in going]
    more = [one.name for one in order if one.name not in wanted]
    if more and not with_dependents:
        what = _listed(names) if len(wanted) == 1 else "what is named"
        raise Protected(
            f"saveset {what} is the base of {_listed(more)}",
            hint="--with-dependents removes these too",
        )
    for one in order:
        if one.locked:
            builds = "" if one.name in wanted else ", which builds on it,"
            raise Protected(
                f'saveset "{one.name}"{builds} is locked',
                hint=f"sm_backup unlock {one.name}",
            )
    return order


def parted(
    order: Sequence[Holding], names: Iterable[str]
) -> list[tuple[str, list[Holding]]]:
    """Part what goes by the name it goes with: its own, or the nearest it builds on.

    order -- as `removal` returns it; the parts, one after the other, keep to it: a
    saveset goes before the one it builds on
    """
    named = set(names)
    base = {one.name: one.base for one in order}
    found: dict[str, list[Holding]] = {
        one.name: [] for one in order if one.name in named
    }
    for one in order:
        at = one.name
        while at not in named:
            at = base[at]
        found[at].append(one)
    return list(found.items())


def _with_dependents(savesets: Sequence[Holding], wanted: set[str]) -> set[str]:
    builders: dict[str, list[str]] = defaultdict(list)
    for one in savesets:
        builders[one.base].append(one.name)
    going, next_ones = set(wanted), list(wanted)
    while next_ones:
        for name in builders[next_ones.pop()]:
            if name not in going:
                going.add(name)
                next_ones.append(name)
    return going


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(f'"{one}"' for one in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{some} and {more} more" if more > 0 else some
