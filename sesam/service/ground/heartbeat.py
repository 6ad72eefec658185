"""Renewing a job's lease while it runs, and learning that it must stop."""

import threading
from collections.abc import Callable
from types import TracebackType

from sesam.catalog import claims, jobs
from sesam.catalog.db import Catalog
from sesam.errors import Busy, SesamError
from sesam.rules.records import Claim, Job

_EVERY_S = jobs.LEASE_S / 4


class Heartbeat:
    """A thread that renews the lease of a job while the block is open.

    stopped() becomes true when `stop` was called, or when the lease was lost: then
    `check` raises Busy, and nothing of the job may be kept.
    """

    def __init__(self, catalog: Catalog, job: Job, every_s: float = _EVERY_S) -> None:
        self._catalog = catalog
        self._job = job
        self._every_s = every_s
        self._over = threading.Event()
        self._told = threading.Event()
        self._lost = False
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

    def stop(self) -> None:
        """Ask the job to end in good order."""
        self._told.set()

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
            except SesamError:
                continue  # the catalog is held or away: the lease has three tries more
        self._catalog.close()
