"""Renewing a job's lease while it runs, and learning that it must stop."""

import signal
import threading
from collections.abc import Callable
from types import TracebackType

from sesam.catalog import claims, jobs
from sesam.catalog.db import Catalog
from sesam.errors import Busy, SesamError
from sesam.rules.records import Claim, Job
from sesam.terms import State

_EVERY_S = jobs.LEASE_S / 4


class Heartbeat:
    """A thread that renews the lease of a job while the block is open.

    stopped() becomes true when `stop` was called, when the catalog says that the job is
    to stop, or when the lease was lost: then `check` raises Busy, and nothing of the
    job may be kept.
    """

    def __init__(self, catalog: Catalog, job: Job, every_s: float = _EVERY_S) -> None:
        self._catalog = catalog
        self._job = job
        self._every_s = every_s
        self._over = threading.Event()
        self._told = threading.Event()
        self._lost = False
        # The signal that told the job to stop, as its command's exit code has it.
        self.signal: int = signal.SIGINT
        self._held: Callable[[], list[Claim]] = list
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self.stopped: Callable[[], bool] = self._told.is_set

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def keep(self, held: Callable[[], list[Claim]]) -> None:
        """Renew these claims too: the drive and the medium that the job works with."""
        self._held = held

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ask the job to end in good order; number -- the signal that told it."""
        self.signal = number
        self._told.set()

    def exit_code(self, state: State) -> int | None:
        """Return the exit code of a job that ends so; None = what the state says."""
        return 128 + self.signal if state is State.CANCELLED else None

    def check(self) -> None:
        """Raise Busy where the job was taken from this worker."""
        if self._lost:
            raise Busy(f"job {self._job.id} was taken from this worker")

    def _beat(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                gone = [
                    one for one in self._held() if not claims.renew(self._catalog, one)
                ]
                # One that was given back meanwhile is no longer among those held.
                lost = any(one in self._held() for one in gone)
                if lost or not jobs.renew(self._catalog, self._job):
                    self._lost = True
                    self._told.set()
                    break
                if jobs.is_told_to_stop(self._job.id):
                    self._told.set()
            except SesamError:
                continue  # the catalog is held or away: the lease has three tries more
        self._catalog.close()
