"""The audit in the catalog: rows are added, and read, and never changed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sesam.catalog.tables import AuditRow


def record(
    now: datetime, who: str, command: str, what: str, name: str, detail: str = ""
) -> None:
    """Add a row; to be called within `change`.

    who -- Unix user; command -- as it was called; what -- as `modify task`
    """
    AuditRow.create(
        at=now, who=who, command=command, what=what, object=name, detail=detail
    )


def rows(
    *, since: datetime | None, until: datetime | None, name: str
) -> Iterator[dict[str, Any]]:
    """Yield rows, oldest first: at or after `since`, before `until`, of one object."""
    query = AuditRow.select().order_by(AuditRow.at, AuditRow.id)
    if since is not None:
        query = query.where(AuditRow.at >= since)
    if until is not None:
        query = query.where(AuditRow.at < until)
    if name:
        query = query.where(AuditRow.object == name)
    for row in query.iterator():
        yield {
            "at": row.at,
            "who": row.who,
            "command": row.command,
            "what": row.what,
            "object": row.object,
            "detail": row.detail,
        }
