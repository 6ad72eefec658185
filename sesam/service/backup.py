"""The trip of a backup: a job, a source, a mover, and one commit at its end."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import monotonic

from sesam.catalog import clients, jobs, saveset_claims, tasks
from sesam.catalog.savesets import commit_saveset
from sesam.device.directory import FileBlob
from sesam.errors import ClientError, Interrupted, SesamError, exit_code_of
from sesam.rules.naming import RANDOM_BYTES, SITE_TASK, saveset_name
from sesam.rules.records import Client, Job, MediaPool, Task
from sesam.service import clockwatch, repair, working
from sesam.service.afar.starter import starter_argv
from sesam.service.asking import Request, queue, request_of
from sesam.service.fetching.building import ground_for
from sesam.service.ground import selfcopy
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog
from sesam.service.ground.owndirs import own_directories
from sesam.service.ground.site import Site, ssh_config
from sesam.service.interfaces import Around, around
from sesam.service.moving import targets
from sesam.service.moving.commit import records_of
from sesam.service.moving.mover import Mover, Written
from sesam.service.moving.moverjob import MoverJob, StoreTarget
from sesam.service.moving.moverlink import run_mover
from sesam.service.moving.report import result_of, summary_of
from sesam.service.moving.worker import BackupWatcher, Progress
from sesam.service.sending import handing, sourcejob
from sesam.service.sending.source import Source
from sesam.service.sending.sourcelink import SourceCall, run_source
from sesam.terms import State


@dataclass(slots=True)
class Run:
    """A backup under way, for who wants to see or stop it."""

    progress: Progress = lambda files, size: None
    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def start(site: Site, request: Request, run: Run) -> dict[str, object]:
    """Back up a task and return what `sm_backup start` reports.

    Raises NotFound, Conflict before there is a job; whatever fails later ends the job,
    Busy as `cancelled` because another job backs up the task, leaves nothing of the
    saveset, and is raised.
    """
    return work(site, queue(site, request).id, run)


def work(site: Site, job_id: int, run: Run) -> dict[str, object]:
    """Do the queued job of a backup, in this process; raises as `start` does."""
    with working.at_work(site, job_id) as (job, log):
        clockwatch.saw(site)
        request = request_of(job)
        task = tasks.get_task(request.task)
        pool = targets.pool_for(task, request.pool)
        client = clients.get_client(task.client)
        return _Trip(site, request, task, pool, client, job, log).run(run)


class _Trip:
    """One backup from claim to commit."""

    def __init__(
        self,
        site: Site,
        request: Request,
        task: Task,
        pool: MediaPool,
        client: Client,
        job: Job,
        log: JobLog,
    ) -> None:
        self._site, self._task, self._pool = site, task, pool
        self._client, self._job, self._log = client, job, log
        self._began = monotonic()
        self._note_written: Callable[[], object] = lambda: None
        started_at = job.started_at or site.clock()
        self._started_at: datetime = started_at
        own = own_directories(site, client)
        self._source_job = sourcejob.of_task(task, own=own)
        self._ground = ground_for(
            site,
            task,
            request.level,
            self._source_job.definition_digest(),
            started_at,
        )
        level = self._ground.choice.level
        self._name = saveset_name(level, started_at, os.urandom(RANDOM_BYTES))

    def run(self, run: Run) -> dict[str, object]:
        site, job = self._site, self._job
        watcher = BackupWatcher(
            site, self._log, self._name, run.progress, self._widen_claim
        )
        watcher.say(
            f'backup of task "{self._task.name}" of client "{self._client.name}"'
            f" as {self._name}"
        )
        choice = self._ground.choice
        watcher.say(
            choice.reason
            or f"level {choice.level}"
            + (f", builds on {choice.base}" if choice.base else "")
        )
        heartbeat = Heartbeat(site.catalog, job)
        try:
            # What is written to is held until the catalog knows what is on it.
            with heartbeat, ExitStack() as held:
                run.begun(heartbeat)
                hooks = around(site, job, self._log, heartbeat, "sbc", self._facts())
                with hooks as scripts:
                    if self._task.name == SITE_TASK:
                        selfcopy.refresh(site)
                    written = self._write(watcher, heartbeat, held)
                    heartbeat.check()
                    result = self._commit(written, heartbeat, scripts)
        except BaseException as error:
            watcher.drop_listing()
            self._failed(watcher, error)
            raise
        watcher.keep_listing()
        watcher.say(f"ends as {result['state']}: {summary_of(written)}")
        scripts.raise_failure(f"saveset {self._name} is kept")
        return result

    def _facts(self) -> dict[str, object]:
        """Return what scripts around this backup are told of it."""
        return {
            "task": self._task.name,
            "client": self._client.name,
            "ssh": self._client.ssh,
            "saveset": self._name,
            "level": self._ground.choice.level.value,
            "base": self._ground.choice.base or None,
            "pool": self._pool.name,
        }

    def _write(
        self, watcher: BackupWatcher, heartbeat: Heartbeat, held: ExitStack
    ) -> Written:
        """Let source and mover run; return what is durable then."""
        site = self._site
        call = self._source_call()
        if targets.tape_drives_of(self._pool):
            return self._write_tape(call, watcher, heartbeat, held)
        there, stores = targets.choose_stores(self._pool)
        mover_job = self._mover_job(stores)
        self._claim(tuple(store.name for store in stores))
        if there:
            mover, config = clients.get_client(there), ssh_config(site)
            return run_mover(
                starter_argv("sm_sms", mover, config, "--control"),
                mover_job,
                replace(call, argv=self._source_argv(there)),
                watcher=watcher,
                stopped=heartbeat.stopped,
            )
        writer = targets.open_writer(mover_job, watcher.note)
        return self._move(Mover(mover_job, writer, watcher), call, heartbeat)

    def _source_call(self) -> SourceCall:
        """Return how the source is called, and what it builds on."""
        argv = starter_argv("sm_sbc", self._client, ssh_config(self._site))
        job, listing = self._source_job, self._ground.listing
        if listing:
            job = handing.built_on(job, self._ground.choice.base, listing)
        return SourceCall(argv, job, listing)

    def _write_tape(
        self,
        call: SourceCall,
        watcher: BackupWatcher,
        heartbeat: Heartbeat,
        held: ExitStack,
    ) -> Written:
        # Loaded where a tape is written: with all that speaks SCSI.
        from sesam.service.media import tapes

        mover_job = self._mover_job(())
        self._claim(())
        writing = tapes.tape_writer(self._site, self._pool, mover_job, heartbeat.keep)
        writer = held.enter_context(writing)
        self._note_written = partial(tapes.note_written, self._site, writer)
        self._widen_claim(writer.media())
        return self._move(Mover(mover_job, writer, watcher), call, heartbeat)

    def _move(self, mover: Mover, call: SourceCall, heartbeat: Heartbeat) -> Written:
        """Run the source into a mover of this process."""
        stopped = heartbeat.stopped
        try:
            if self._client.ssh:
                run_source(call, mover, stopped)
            else:
                base = FileBlob(call.base) if call.base else None
                Source(call.job, mover, stopped=stopped, base=base).run()
            heartbeat.check()
            return mover.complete(self._site.clock())
        except BaseException:
            mover.abandon()
            raise

    def _claim(self, media: tuple[str, ...]) -> None:
        with self._site.catalog.change():
            saveset_claims.claim_saveset(
                self._name, self._job, media, self._site.clock()
            )

    def _source_argv(self, there: str) -> list[str]:
        """Return how the mover's machine starts the source; [] = within itself."""
        if self._client.name == there:
            return []
        if not self._client.ssh:
            raise ClientError(
                f'client "{there}" cannot reach client "{self._client.name}":'
                " it has no ssh destination",
                hint=f"sm_client modify {self._client.name} --ssh USER@HOST",
            )
        return starter_argv("sm_sbc", self._client, "")

    def _mover_job(self, stores: tuple[StoreTarget, ...]) -> MoverJob:
        source = self._source_job
        return MoverJob(
            saveset=self._name,
            site=self._site.id,
            task=self._task.name,
            client=self._client.name,
            level=self._ground.choice.level,
            base=self._ground.choice.base,
            backup_day=self._job.backup_day,
            started_at=self._started_at,
            pool=self._pool.name,
            retention_days=self._pool.retention_days,
            source_digest=source.definition_digest(),
            recipients=source.recipients,
            stores=stores,
        )

    def _widen_claim(self, media: tuple[str, ...]) -> None:
        with self._site.catalog.change():
            saveset_claims.widen_claim(self._name, media)

    def _commit(
        self, written: Written, heartbeat: Heartbeat, scripts: Around
    ) -> dict[str, object]:
        """Make the saveset visible and end the job, in one transaction."""
        site = self._site
        saveset, copy = records_of(written, site.zone)
        reason, seconds = self._ground.choice.reason, monotonic() - self._began
        # The saveset is whole whatever its post says.
        state = scripts.end(saveset.state, summary_of(written))
        result = result_of(self._job, saveset, copy, reason, seconds)
        result["state"] = state.value
        heartbeat.check()
        with site.catalog.change():
            jobs.finish(
                self._job,
                state,
                now=site.clock(),
                message=scripts.with_failure(summary_of(written)),
                result=result,
                exit_code=scripts.exit_code(state) or heartbeat.exit_code(state),
            )
            commit_saveset(saveset, copy, self._job.id)
            # Only together: without a saveset its place on the media is free still,
            # and what has been taken from this worker may have been written by others.
            self._note_written()
        return result

    def _failed(self, watcher: BackupWatcher, error: BaseException) -> None:
        """End the job; its saveset has been abandoned."""
        site = self._site
        stopped = isinstance(error, KeyboardInterrupt | Interrupted)
        state = State.CANCELLED if stopped else State.ERROR
        message = str(error) or ("interrupted" if stopped else type(error).__name__)
        watcher.say(f"ends as {state.value}: {message}")
        try:
            with site.catalog.change():
                jobs.finish(
                    self._job,
                    state,
                    now=site.clock(),
                    message=message,
                    result={},
                    exit_code=exit_code_of(error),
                )
        except SesamError as worse:
            watcher.say(f"the catalog does not know yet: {worse}")
            return
        repair.settle(site)
