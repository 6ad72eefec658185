"""A source, a client or a server that says nothing any more holds nobody for ever."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from conftest import BIN, Site
from sink import Sink
from sshd import Sshd
from trees import small_tree

from sesam.errors import Interrupted
from sesam.service.moving import moverjob
from sesam.service.moving.moverjob import MoverJob, StoreTarget
from sesam.service.sending import sourcejob
from sesam.service.sending.sourcejob import SourceJob
from sesam.service.sending.sourcelink import SourceCall, run_source
from sesam.terms import Level

JOB = SourceJob((b"/etc",))
SLEEP = ["sh", "-c", "sleep 300; echo"]


def soon(true: Callable[[], bool], within: float = 20) -> bool:
    until = time.monotonic() + within
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return true()


def test_a_silent_source_that_was_told_to_stop_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Interrupted, match="killed"):
        run_source(SourceCall(SLEEP, JOB), Sink(), lambda: True, grace_s=0.5)
    assert time.monotonic() - began < 10


def test_a_source_that_does_not_even_listen_is_ended(tmp_path: Path) -> None:
    listing = tmp_path / "S/listing.zst"
    listing.parent.mkdir()
    listing.write_bytes(bytes(8 << 20))
    began = time.monotonic()
    call = SourceCall(SLEEP, JOB, str(listing))
    with pytest.raises(Interrupted):
        run_source(call, Sink(), lambda: True, grace_s=0.5)
    assert time.monotonic() - began < 10


def test_a_source_is_ended_at_once_when_its_mover_fails() -> None:
    class Failing(Sink):
        def start(self, facts: object) -> None:
            raise RuntimeError("the medium is full")

    words = "--source", "/usr/lib/python3", "--source", "/usr/share"
    began = time.monotonic()
    with pytest.raises(RuntimeError):
        run_source(
            SourceCall([str(BIN / "sm_sbc"), *words], JOB), Failing(), lambda: False
        )
    assert time.monotonic() - began < 10


def control(site: Site, source_argv: list[str], lease_s: float) -> bytes:
    """The first line that a server sends to its mover."""
    marker = json.loads((site.store() / ".sesam-store").read_text())
    mover = MoverJob(
        saveset="SF20260101000000000@aaaaaaaaaaa",
        site=marker["site"],
        task="t",
        client="c",
        level=Level.FULL,
        backup_day=date(2026, 1, 1),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        pool="P",
        retention_days=1,
        source_digest=JOB.definition_digest(),
        stores=(StoreTarget("default", str(site.store())),),
    )
    facts = {
        "mover": moverjob.encode(mover),
        "source": json.loads(sourcejob.encode(JOB)),
        "source_argv": source_argv,
        "lease_s": lease_s,
    }
    return json.dumps(facts).encode() + b"\n"


@pytest.mark.parametrize("closed", [True, False])
def test_a_mover_without_a_server_ends_a_source_that_says_nothing(
    site: Site, closed: bool
) -> None:
    order = control(site, SLEEP, 60 if closed else 1)
    with subprocess.Popen(
        [BIN / "sm_sms", "--control"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as mover:
        assert mover.stdin is not None
        assert mover.stdout is not None
        mover.stdin.write(order)
        mover.stdin.flush()
        assert soon(lambda: len(os.listdir(site.store())) == 2)
        if closed:
            mover.stdin.close()
        assert mover.wait(15) == 130
        assert "no longer renews" in json.loads(mover.stdout.read())["message"]
    assert os.listdir(site.store()) == [".sesam-store"]


class Far:
    """A backup under way of a source behind ssh."""

    def __init__(self, site: Site, source: Path) -> None:
        site.sm("task add", "tree", "--source", source, "--client", "far")
        self.source = 0
        self.running = site.popen("backup start", "tree", "--format", "json")

    def freeze(self, site: Site, pids: Path) -> None:
        """Freeze the source while it sends."""
        assert soon(lambda: pids.exists() and pids.read_text() != "")
        self.source = int(pids.read_text())
        assert soon(lambda: bool(list(site.store().glob("S*/data*"))))
        os.kill(self.source, signal.SIGSTOP)

    def close(self) -> None:
        if self.source:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.source, signal.SIGKILL)
        if self.running.poll() is None:
            self.running.kill()
        self.running.communicate()


@pytest.fixture
def far(site: Site, tmp_path: Path) -> Iterator[Far]:
    """A backup whose source, behind ssh, is frozen."""
    with contextlib.closing(Sshd(tmp_path / "sshd")) as sshd:
        (site.root / "etc/ssh_config").write_text(sshd.config)
        programs, pids = tmp_path / "programs", tmp_path / "pid"
        programs.mkdir()
        starter = programs / "sm_sbc"
        starter.write_text(f'#!/bin/sh\necho $$ > {pids}\nexec {BIN}/sm_sbc "$@"\n')
        starter.chmod(0o755)
        site.sm("client add", "far", "--ssh", "rds", "--program", programs)
        source = small_tree(tmp_path / "source")
        (source / "dir0/large").write_bytes(os.urandom(400 << 20))
        with contextlib.closing(Far(site, source)) as one:
            one.freeze(site, pids)
            yield one


def fields(pid: int) -> list[str]:
    """What /proc tells of a process behind its name: state, parent ...; [] = gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid: int) -> list[int]:
    everybody = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return [one for one in everybody if fields(one)[1:2] == [str(pid)]]


def lives(pid: int) -> bool:
    return fields(pid)[:1] not in ([], ["Z"], ["X"])


def test_a_second_signal_ends_a_backup_of_a_frozen_client_at_once(
    site: Site, far: Far
) -> None:
    ssh = children(far.running.pid)
    assert ssh
    far.running.send_signal(signal.SIGINT)
    time.sleep(1)
    assert far.running.poll() is None
    far.running.send_signal(signal.SIGINT)
    assert far.running.wait(10) == 130
    assert not any(map(lives, ssh))
    assert site.json("job list")[0]["state"] == "cancelled"
    assert os.listdir(site.store()) == [".sesam-store"]


def test_a_killed_backup_takes_its_ssh_along(site: Site, far: Far) -> None:
    ssh = children(far.running.pid)
    assert ssh
    far.running.kill()
    far.running.communicate()
    assert soon(lambda: not any(map(lives, ssh)), 5)
