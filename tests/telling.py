"""Scripts of the admin that keep what they are told, for tests of what they are."""

import json
import time
from pathlib import Path
from typing import Any

from conftest import Site
from halting import until


def put(site: Site, name: str, text: str = "") -> Path:
    """Lay a script into etc/interface.d: one that keeps what it is told, one a line."""
    path = site.root / "etc/interface.d" / name
    kept = site.root / f"{name}.told"
    path.write_text(text or f"#!/bin/sh\ntr -d '\\n' >> {kept}; echo >> {kept}\n")
    path.chmod(0o755)
    return kept


def told(kept: Path, count: int) -> list[dict[str, Any]]:
    """What a script was told, when it has been so often; and no more than that."""

    def lines() -> list[str]:
        return kept.read_text().splitlines() if kept.exists() else []

    until(lambda: len(lines()) >= count, f"{count} notices")
    time.sleep(0.3)
    assert len(lines()) == count
    return [json.loads(line) for line in lines()]


def ticked(site: Site) -> None:
    """Tick, and wait for what it started: the next one may be hours later."""
    site.sm("sepuler tick")
    for job in site.json("job list"):
        if job["state"] in ("queued", "active"):
            site.sm("job wait", job["job"], code=None)
