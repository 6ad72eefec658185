"""From what lies on the media to the rows that make it visible."""

from zoneinfo import ZoneInfo

from sesam.rules.records import Copy, Saveset
from sesam.rules.retention import eol
from sesam.service.moving.mover import Written
from sesam.terms import CopyState


def records_of(written: Written, zone: ZoneInfo) -> tuple[Saveset, Copy]:
    """Return the catalog's records of a saveset that is complete on its media."""
    facts = written.manifest
    copy = Copy(
        id=0,
        pool=facts.pool,
        state=CopyState.OK,
        eol=eol(facts.ended_at, zone, facts.retention_days),
        retention_days=facts.retention_days,
        written_at=facts.ended_at,
        media=written.media,
        pieces=written.pieces,
    )
    saveset = Saveset(
        name=facts.name,
        task=facts.task,
        client=facts.client,
        level=facts.level,
        state=facts.state,
        backup_day=facts.backup_day,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        format=facts.format,
        base=facts.base,
        files=facts.files,
        changed=facts.changed,
        deleted=facts.deleted,
        bytes=facts.bytes,
        stored_bytes=written.stored_bytes,
        warnings=facts.warnings,
        recipients=facts.recipients,
        source_digest=facts.source_digest,
    )
    return saveset, copy
