"""Restoring one name of an object that has several: as a link where it can be one."""

from sesam.client.destination import Destination
from sesam.client.objects import Outcome
from sesam.saveset.listing import Line
from sesam.service.fetching.links import FirstNames
from sesam.service.fetching.members import Members, described


def one_of_several(
    line: Line, members: Members, destination: Destination, firsts: FirstNames
) -> Outcome:
    """Restore one name of an object that has several."""
    first = firsts.get(line)
    if first is None:
        outcome = destination.place(*members.read(line))
    else:
        # Its content is read only where it cannot be a link.
        obj = described(line)
        outcome = destination.link(obj, first, lambda: members.read(line))
    # What stayed as it was, or failed, is no object to link to.
    if outcome is Outcome.WRITTEN or (first is None and outcome is Outcome.SAME):
        firsts.put(line)
    return outcome
