"""From the lines of a listing to objects below the target, counted."""

from collections.abc import Callable
from dataclasses import dataclass

from sesam.client.destination import Destination
from sesam.client.objects import Outcome
from sesam.errors import Damaged, DeviceError, NotFound
from sesam.saveset.listing import Line
from sesam.service.fetching.links import FirstNames
from sesam.service.fetching.members import Members, described

Report = Callable[[bytes, str], object]


@dataclass(slots=True)
class Counts:
    """Objects that were written, their bytes, and objects that stayed as they were."""

    files: int = 0
    bytes: int = 0
    skipped: int = 0

    def add(self, line: Line, outcome: Outcome) -> bool:
        """Count an object; return whether it is one that is written."""
        written = outcome in (Outcome.WRITTEN, Outcome.LINKED)
        if written:
            self.files += 1
            self.bytes += line.size if line.kind == "f" else 0
        else:
            self.skipped += 1
        return written

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.files + other.files,
            self.bytes + other.bytes,
            self.skipped + other.skipped,
        )


class Placing:
    """Places what lines describe; lines come in walk order.

    partial -- what cannot be read is reported, and the rest is restored
    Raises DeviceError, TargetUnusable.
    """

    def __init__(
        self,
        members: Members,
        destination: Destination,
        *,
        firsts: FirstNames,
        report: Report,
        partial: bool,
    ) -> None:
        self._members, self._destination = members, destination
        self._firsts = firsts
        self._report, self._partial = report, partial
        self.counts = Counts()

    def put(self, line: Line, *, asked: bool = True) -> None:
        """Restore one object; asked -- not just because it leads to what was asked."""
        if line.is_lost:
            if asked:
                self._report(line.path, "is not in the saveset: it could not be read")
            return
        try:
            if not asked:
                self._destination.ancestor(self._members.read(line)[0])
                return
            if "h" in line.flags:
                outcome = self._one_of_several(line)
            else:
                outcome = self._destination.place(*self._members.read(line))
        except (Damaged, NotFound) as error:
            self._report(line.path, f"is damaged: {error}")
            return
        except DeviceError as error:
            if not self._partial:
                raise
            self._report(line.path, f"cannot be read: {error}")
            return
        self.counts.add(line, outcome)

    def _one_of_several(self, line: Line) -> Outcome:
        """Restore one name of an object that has several."""
        first = self._firsts.get(line)
        if first is None:
            outcome = self._destination.place(*self._members.read(line))
        else:
            # Its content is read only where it cannot be a link.
            obj = described(line)
            outcome = self._destination.link(
                obj, first, lambda: self._members.read(line)
            )
        # What stayed as it was, or failed, is no object to link to.
        if outcome is Outcome.WRITTEN or (first is None and outcome is Outcome.SAME):
            self._firsts.put(line)
        return outcome
