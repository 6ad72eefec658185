"""Jobs that are halted in the middle of their work, and sites after that."""

import contextlib
import os
import signal
import sqlite3
import time
from typing import Any

import pytest
from conftest import Site

FINAL = ("ok", "warning", "error", "cancelled")


def until(is_so: Any, what: str) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    pytest.fail(f"never: {what}")


def worker_of(site: Site, number: int) -> int:
    """The process that does a job; 0 before there is one."""
    with contextlib.closing(sqlite3.connect(site.root / "var/db/sesam.db")) as db:
        found = db.execute("SELECT worker FROM job WHERE id = ?", [number]).fetchone()
    return int(found[0].split("/")[2]) if found and found[0] else 0


def halted(site: Site, number: int, is_so: Any) -> int:
    """Stop the worker of a job when it has come so far; return its process."""
    until(is_so, "the worker has come so far")
    process = worker_of(site, number)
    os.kill(process, signal.SIGSTOP)
    return process


def halted_backup(site: Site, task: str) -> tuple[int, int]:
    """Start a backup, detached, and stop it while it writes: job and process."""
    number = site.json("backup start", task, "--detach")["job"]
    return number, halted(site, number, lambda: list(site.store().glob("S*/data*")))


def cancelled(site: Site, number: int, process: int) -> dict[str, Any]:
    """Cancel a job whose worker was stopped; let that go on; return how it ended."""
    site.sm("job cancel", number, "--no-wait")
    os.kill(process, signal.SIGCONT)
    (row,) = site.json("job wait", number, code=130)
    assert (row["state"], row["exit_code"]) == ("cancelled", 130)
    return row


def is_sound(site: Site) -> None:
    site.sm("setup check", "--repair")
    assert {row["state"] for row in site.json("setup check", code=0)} == {"ok"}
    names = {row["saveset"] for row in site.json("backup list")}
    assert set(os.listdir(site.store())) == {".sesam-store", *names}
    assert {row["state"] for row in site.json("job list")} <= set(FINAL)
