"""The trip of a backup: a job, a source, a mover, and one commit at its end."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from sesam.catalog import clients, drives, jobs, tasks
from sesam.catalog.savesets import commit_saveset
from sesam.errors import ClientError, Interrupted, SesamError
from sesam.rules.naming import RANDOM_BYTES, saveset_name
from sesam.rules.records import Client, Copy, Job, MediaPool, Saveset, Task
from sesam.service import clockwatch, repair
from sesam.service.afar.starter import starter_argv
from sesam.service.ground import owner
from sesam.service.ground.heartbeat import Heartbeat
from sesam.service.ground.joblog import JobLog, counted
from sesam.service.ground.site import Site, ssh_config
from sesam.service.media import tapes
from sesam.service.moving import targets
from sesam.service.moving.commit import records_of
from sesam.service.moving.mover import Mover, Written
from sesam.service.moving.moverjob import MoverJob, StoreTarget
from sesam.service.moving.moverlink import run_mover
from sesam.service.moving.worker import BackupWatcher, Progress
from sesam.service.sending import sourcejob
from sesam.service.sending.source import Source
from sesam.service.sending.sourcejob import SourceJob
from sesam.service.sending.sourcelink import run_source
from sesam.terms import Level, State

TYPE = "backup"


@dataclass(frozen=True, slots=True)
class Request:
    """What an admin asks for: a task, and what differs from its definition."""

    task: str
    level: Level = Level.FULL
    pool: str = ""


@dataclass(slots=True)
class Run:
    """A backup under way, for who wants to see or stop it."""

    progress: Progress = lambda files, size: None
    begun: Callable[[Heartbeat], object] = field(default=lambda heartbeat: None)


def start(site: Site, request: Request, run: Run) -> dict[str, object]:
    """Back up a task and return what `sm_backup start` reports.

    Raises NotFound, Conflict, Busy before there is a job; whatever fails later ends the
    job as `error`, leaves nothing of the saveset, and is raised.
    """
    task = tasks.get_task(request.task)
    pool = targets.pool_for(task, request.pool)
    client = clients.get_client(task.client)
    repair.settle(site)
    clockwatch.saw(site)
    now = site.clock()
    with site.catalog.change():
        job = jobs.enqueue(TYPE, task.name, backup_day=site.backup_day(now), now=now)
    log_path = site.log_path(job.backup_day, job.id)
    try:
        job = jobs.start(
            site.catalog, job.id, owner.current_owner(), now=now, log=log_path
        )
    except SesamError:
        with site.catalog.change():
            jobs.cancel_queued(job.id, now)
        raise
    log = JobLog(log_path, site.zone)
    try:
        trip = _Trip(site, request, task, pool, client, job, log)
        return trip.run(run)
    finally:
        log.close()


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
        self._level = Level.COPY if request.level is Level.COPY else Level.FULL
        self._asked = request.level
        self._began = monotonic()
        started_at = job.started_at or site.clock()
        self._started_at: datetime = started_at
        self._name = saveset_name(self._level, started_at, os.urandom(RANDOM_BYTES))

    def run(self, run: Run) -> dict[str, object]:
        site, job = self._site, self._job
        watcher = BackupWatcher(
            site, self._log, self._name, run.progress, self._widen_claim
        )
        watcher.say(
            f'backup of task "{self._task.name}" of client "{self._client.name}"'
            f" as {self._name}"
        )
        if self._asked in (Level.DIFF, Level.INCR):
            watcher.say(f"{self._asked} becomes FULL: every saveset of it stands alone")
        heartbeat = Heartbeat(site.catalog, job)
        try:
            with heartbeat:
                run.begun(heartbeat)
                written = self._write(watcher, heartbeat)
                heartbeat.check()
                result = self._commit(written)
        except (SesamError, KeyboardInterrupt) as error:
            watcher.drop_listing()
            self._failed(watcher, error)
            raise
        watcher.keep_listing()
        watcher.say(f"ends as {result['state']}: {_summary(written)}")
        return result

    def _write(self, watcher: BackupWatcher, heartbeat: Heartbeat) -> Written:
        """Let source and mover run; return what is durable then."""
        site = self._site
        source_job = sourcejob.of_task(
            self._task, own=_own_directories(site, self._client)
        )
        if targets.tape_drives_of(self._pool):
            return self._write_tape(source_job, watcher, heartbeat)
        there, stores = targets.choose_stores(self._pool)
        mover_job = self._mover_job(source_job, stores)
        self._claim(tuple(store.name for store in stores))
        if there:
            config = ssh_config(site)
            return run_mover(
                starter_argv("sm_sms", clients.get_client(there), config, "--control"),
                mover_job,
                source_argv=self._source_argv(there),
                source_job=source_job,
                watcher=watcher,
                stopped=heartbeat.stopped,
            )
        writer = targets.open_writer(mover_job)
        return self._move(Mover(mover_job, writer, watcher), source_job, heartbeat)

    def _write_tape(
        self, source_job: SourceJob, watcher: BackupWatcher, heartbeat: Heartbeat
    ) -> Written:
        site = self._site
        mover_job = self._mover_job(source_job, ())
        self._claim(())
        with tapes.tape_writer(site, self._pool, mover_job, heartbeat.keep) as writer:
            self._widen_claim(writer.media())
            mover = Mover(mover_job, writer, watcher)
            try:
                return self._move(mover, source_job, heartbeat)
            finally:
                with site.catalog.change():
                    tapes.note_written(site, writer)

    def _move(self, mover: Mover, job: SourceJob, heartbeat: Heartbeat) -> Written:
        """Run the source into a mover of this process."""
        site = self._site
        try:
            if self._client.ssh:
                argv = starter_argv("sm_sbc", self._client, ssh_config(site))
                run_source(argv, job, mover, heartbeat.stopped)
            else:
                Source(job, mover, stopped=heartbeat.stopped).run()
            heartbeat.check()
            return mover.complete(site.clock())
        except BaseException:
            mover.abandon()
            raise

    def _claim(self, media: tuple[str, ...]) -> None:
        with self._site.catalog.change():
            jobs.claim_saveset(self._name, self._job, media, self._site.clock())

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

    def _mover_job(
        self, source: SourceJob, stores: tuple[StoreTarget, ...]
    ) -> MoverJob:
        return MoverJob(
            saveset=self._name,
            site=self._site.id,
            task=self._task.name,
            client=self._client.name,
            level=self._level,
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
            jobs.widen_claim(self._name, media)

    def _commit(self, written: Written) -> dict[str, object]:
        """Make the saveset visible and end the job, in one transaction."""
        site = self._site
        saveset, copy = records_of(written, site.zone)
        result = _result(self._job, saveset, copy, monotonic() - self._began)
        with site.catalog.change():
            jobs.finish(
                self._job,
                saveset.state,
                now=site.clock(),
                message=_summary(written),
                result=result,
            )
            commit_saveset(saveset, copy, self._job.id)
        return result

    def _failed(self, watcher: BackupWatcher, error: BaseException) -> None:
        """End the job; its saveset has been abandoned."""
        site = self._site
        stopped = isinstance(error, KeyboardInterrupt | Interrupted)
        state = State.CANCELLED if stopped else State.ERROR
        message = str(error) or "interrupted"
        watcher.say(f"ends as {state.value}: {message}")
        try:
            with site.catalog.change():
                jobs.finish(
                    self._job, state, now=site.clock(), message=message, result={}
                )
        except SesamError as worse:
            watcher.say(f"the catalog does not know yet: {worse}")
            return
        repair.settle(site)


def _own_directories(site: Site, client: Client) -> tuple[bytes, ...]:
    """Return the stores and the live catalog, which no backup of the site reads."""
    there = client.name if client.ssh else ""
    own = [store.path for store in drives.list_stores() if store.rds == there]
    if not there:
        own.append(site.path("var/db"))
    return tuple(os.fsencode(path) for path in own)


def _result(
    job: Job, saveset: Saveset, copy: Copy, seconds: float
) -> dict[str, object]:
    return {
        "job": job.id,
        "saveset": saveset.name,
        "task": saveset.task,
        "level": saveset.level.value,
        "base": saveset.base or None,
        "state": saveset.state.value,
        "backup_day": saveset.backup_day.isoformat(),
        "files": saveset.files,
        "changed": saveset.changed,
        "deleted": saveset.deleted,
        "bytes": saveset.bytes,
        "stored_bytes": saveset.stored_bytes,
        "seconds": round(seconds, 3),
        "warnings": saveset.warnings,
        "media": list(copy.media),
    }


def _summary(written: Written) -> str:
    facts = written.manifest
    text = f"{counted(facts.files, 'object')}, {counted(facts.bytes, 'byte')}"
    return f"{text}, {counted(facts.warnings, 'warning')}" if facts.warnings else text
