"""Commands of one machine that do not see each other's processes: containers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BIN, Site
from trees import small_tree

from sesam.rules.records import Owner
from sesam.service.ground import owner

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
WITHIN = ["unshare", "--pid", "--fork", "--kill-child"]


@pytest.mark.parametrize("proc", [["--mount-proc"], []])
def test_a_backup_in_another_container_is_left_alone(
    site: Site, tmp_path: Path, proc: list[str]
) -> None:
    source = small_tree(tmp_path / "source", files=60)
    (source / "large").write_bytes(os.urandom(150 << 20))
    site.sm("task add", "there", "--source", source)
    site.sm("task add", "here", "--source", tmp_path / "source/dir1")
    running = subprocess.Popen(
        [*WITHIN, *proc, BIN / "sm_backup", "start", "there"],
        env=site.environment(),
        stdout=subprocess.DEVNULL,
    )
    while not list(site.store().glob("S*/data*")):
        assert running.poll() is None
        time.sleep(0.01)
    site.sm("setup check", "--repair", code=None)
    site.sm("backup start", "here")
    assert running.wait(60) == 0
    assert len(site.json("backup list")) == 2
    states = [row["state"] for row in site.json("backup verify", "--all")]
    assert states == ["ok", "ok"]


def test_an_owner_is_judged_where_its_number_means_something(tmp_path: Path) -> None:
    me = owner.current_owner()
    assert owner.is_alive(me) is True
    gone = Owner(me.host, me.boot, me.pid, me.started + 1)
    assert owner.is_alive(gone) is False
    ask = "from sesam.service.ground import owner as o; print(o.current_owner())"
    for proc in (["--mount-proc"], []):
        command = [*WITHIN, *proc, sys.executable, "-c", ask]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        host, boot, pid, started = said.stdout.strip().split("/")
        far = Owner(host, boot, int(pid), int(started))
        assert owner.is_alive(far) is None
        assert not owner.send(far, signal.SIGCONT)
