"""A wish as the job of a restore keeps it: JSON values, paths in base64."""

import base64
import os
from collections.abc import Mapping
from typing import Any

from sesam.client.objects import Existing
from sesam.errors import RequestError
from sesam.rules.records import Job
from sesam.service.fetching.choice import Wish


def told_of(wish: Wish) -> dict[str, Any]:
    """Return a wish as JSON values."""
    return {
        "target": _coded(wish.target),
        "task": wish.task,
        "at": wish.at.isoformat() if wish.at else None,
        "best": wish.best,
        "partial": wish.partial,
        "paths": [_coded(path) for path in wish.paths],
        "existing": wish.existing.value,
        "numeric_owners": wish.numeric_owners,
        "identities": [os.path.abspath(one) for one in wish.identities],
    }


def wish_of(job: Job) -> Wish:
    """Return the wish of a restore's job: for the saveset that was chosen then, or,
    of an event, for the newest one of its task.

    Raises RequestError for a job of a release that did not keep it.
    """
    told: Mapping[str, Any] = job.request
    if "target" not in told:
        raise RequestError(f"what job {job.id} was told is not known any more")
    return Wish(
        target=_decoded(told["target"]),
        saveset="" if told.get("newest") else job.object,
        task=job.object if told.get("newest") else "",
        partial=told.get("partial", False),
        paths=tuple(map(_decoded, told["paths"])),
        existing=Existing(told["existing"]),
        numeric_owners=told["numeric_owners"],
        identities=tuple(told["identities"]),
    )


def _coded(path: bytes) -> str:
    return base64.b64encode(path).decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)
