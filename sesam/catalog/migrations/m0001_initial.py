"""The first schema: configuration, jobs and claims, savesets with copies and pieces.

Frozen: a released step is never changed, what comes later is a step of its own.
{id}, {bytes} and {text} are the engine's words for a growing key, raw bytes, and text
that is ordered by its bytes. Instants are sortable UTC text, days ISO dates, flags 0 or
1, lists JSON text.
"""

STATEMENTS = (
    """CREATE TABLE site (key {text} PRIMARY KEY, value {text} NOT NULL)""",
    """CREATE TABLE client (
        id {id}, name {text} NOT NULL UNIQUE, ssh {text} NOT NULL,
        program {text} NOT NULL, note {text} NOT NULL)""",
    """CREATE TABLE drive_group (
        id {id}, name {text} NOT NULL UNIQUE, note {text} NOT NULL)""",
    """CREATE TABLE media_pool (
        id {id}, name {text} NOT NULL UNIQUE,
        group_id BIGINT NOT NULL REFERENCES drive_group (id),
        retention_days BIGINT NOT NULL CHECK (retention_days >= 0),
        spare BIGINT NOT NULL, from_spare_id BIGINT REFERENCES media_pool (id),
        block_bytes BIGINT NOT NULL, note {text} NOT NULL)""",
    """CREATE TABLE task (
        id {id}, name {text} NOT NULL UNIQUE,
        client_id BIGINT NOT NULL REFERENCES client (id), type {text} NOT NULL,
        excludes {text} NOT NULL, exclude_caches BIGINT NOT NULL,
        exclude_if_present {text} NOT NULL, one_file_system BIGINT NOT NULL,
        recipients {text} NOT NULL, zstd_level BIGINT NOT NULL,
        segment_bytes BIGINT NOT NULL,
        pool_id BIGINT REFERENCES media_pool (id), note {text} NOT NULL)""",
    """CREATE TABLE task_source (
        id {id}, task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
        position BIGINT NOT NULL, path {bytes} NOT NULL,
        UNIQUE (task_id, position))""",
    """CREATE TABLE task_group (
        id {id}, name {text} NOT NULL UNIQUE, note {text} NOT NULL)""",
    """CREATE TABLE task_group_member (
        id {id},
        group_id BIGINT NOT NULL REFERENCES task_group (id) ON DELETE CASCADE,
        task_id BIGINT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
        UNIQUE (group_id, task_id))""",
    """CREATE TABLE loader (
        id {id}, name {text} NOT NULL UNIQUE, device {text} NOT NULL,
        note {text} NOT NULL)""",
    """CREATE TABLE data_store (
        id {id}, name {text} NOT NULL UNIQUE, path {text} NOT NULL,
        group_id BIGINT NOT NULL REFERENCES drive_group (id),
        capacity_bytes BIGINT NOT NULL, high_water BIGINT NOT NULL,
        low_water BIGINT NOT NULL, streams BIGINT NOT NULL,
        rds_id BIGINT REFERENCES client (id), note {text} NOT NULL)""",
    """CREATE TABLE drive (
        id {id}, name {text} NOT NULL UNIQUE, kind {text} NOT NULL,
        group_id BIGINT NOT NULL REFERENCES drive_group (id),
        device {text} NOT NULL, loader_id BIGINT REFERENCES loader (id),
        position BIGINT NOT NULL,
        store_id BIGINT REFERENCES data_store (id) ON DELETE CASCADE,
        streams BIGINT NOT NULL, rds_id BIGINT REFERENCES client (id))""",
    """CREATE TABLE medium (
        id {id}, label {text} NOT NULL UNIQUE,
        pool_id BIGINT NOT NULL REFERENCES media_pool (id), kind {text} NOT NULL,
        barcode {text} NOT NULL, state {text} NOT NULL, loader {text} NOT NULL,
        slot BIGINT NOT NULL, drive {text} NOT NULL, used_bytes BIGINT NOT NULL,
        capacity_bytes BIGINT NOT NULL, files BIGINT NOT NULL,
        is_full BIGINT NOT NULL, protected BIGINT NOT NULL, written_at {text})""",
    """CREATE TABLE schedule (
        id {id}, name {text} NOT NULL UNIQUE, start {text} NOT NULL,
        rrule {text} NOT NULL, enabled BIGINT NOT NULL, added_at {text} NOT NULL)""",
    """CREATE TABLE event (
        id {id}, name {text} NOT NULL UNIQUE, type {text} NOT NULL,
        schedule_id BIGINT REFERENCES schedule (id), priority BIGINT NOT NULL,
        enabled BIGINT NOT NULL, added_at {text} NOT NULL)""",
    """CREATE TABLE job (
        id {id}, type {text} NOT NULL, object {text} NOT NULL, state {text} NOT NULL,
        priority BIGINT NOT NULL, backup_day {text} NOT NULL,
        queued_at {text} NOT NULL, started_at {text}, ended_at {text},
        worker {text} NOT NULL, fence BIGINT NOT NULL, lease_until {text},
        message {text} NOT NULL, log {text} NOT NULL, result {text} NOT NULL)""",
    """CREATE UNIQUE INDEX job_one_active ON job (type, object)
        WHERE state = 'active' AND type = 'backup'""",
    """CREATE INDEX job_open ON job (priority DESC, id)
        WHERE state IN ('queued', 'active')""",
    """CREATE INDEX job_by_day ON job (backup_day, id)""",
    """CREATE TABLE claim (
        thing {text} PRIMARY KEY, worker {text} NOT NULL, fence BIGINT NOT NULL,
        lease_until {text} NOT NULL, job_id BIGINT)""",
    """CREATE TABLE saveset (
        id {id}, name {text} NOT NULL UNIQUE, task {text} NOT NULL,
        client {text} NOT NULL, level {text} NOT NULL, base {text} NOT NULL,
        state {text} NOT NULL, backup_day {text} NOT NULL,
        started_at {text} NOT NULL, ended_at {text} NOT NULL, format BIGINT NOT NULL,
        files BIGINT NOT NULL, changed BIGINT NOT NULL, deleted BIGINT NOT NULL,
        bytes BIGINT NOT NULL, stored_bytes BIGINT NOT NULL, warnings BIGINT NOT NULL,
        recipients {text} NOT NULL, source_digest {text} NOT NULL,
        locked BIGINT NOT NULL, job_id BIGINT)""",
    """CREATE INDEX saveset_by_task ON saveset (task, started_at)""",
    """CREATE INDEX saveset_by_day ON saveset (backup_day, started_at)""",
    """CREATE INDEX saveset_by_base ON saveset (base) WHERE base <> ''""",
    """CREATE TABLE copy (
        id {id}, saveset_id BIGINT NOT NULL REFERENCES saveset (id),
        pool {text} NOT NULL, state {text} NOT NULL, eol {text} NOT NULL,
        retention_days BIGINT NOT NULL, written_at {text} NOT NULL,
        media {text} NOT NULL)""",
    """CREATE INDEX copy_by_saveset ON copy (saveset_id)""",
    """CREATE INDEX copy_by_eol ON copy (eol)""",
    """CREATE TABLE piece (
        id {id}, copy_id BIGINT NOT NULL REFERENCES copy (id) ON DELETE CASCADE,
        position BIGINT NOT NULL, part {text} NOT NULL, number BIGINT NOT NULL,
        store {text} NOT NULL, key {text} NOT NULL, medium {text} NOT NULL,
        file BIGINT NOT NULL, block BIGINT NOT NULL, size_bytes BIGINT NOT NULL,
        digest {text} NOT NULL, UNIQUE (copy_id, position))""",
    """CREATE INDEX piece_by_medium ON piece (medium) WHERE medium <> ''""",
    """CREATE TABLE saveset_claim (
        saveset {text} PRIMARY KEY, fence BIGINT NOT NULL, media {text} NOT NULL,
        job_id BIGINT NOT NULL REFERENCES job (id), claimed_at {text} NOT NULL)""",
    """CREATE TABLE tombstone (
        id {id}, saveset {text} NOT NULL, pool {text} NOT NULL, media {text} NOT NULL,
        reason {text} NOT NULL, deleted_at {text} NOT NULL, done BIGINT NOT NULL)""",
    """CREATE INDEX tombstone_open ON tombstone (id) WHERE done = 0""",
    """CREATE TABLE audit (
        id {id}, at {text} NOT NULL, who {text} NOT NULL, what {text} NOT NULL,
        object {text} NOT NULL, detail {text} NOT NULL)""",
)
