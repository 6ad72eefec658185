"""A private PostgreSQL: a cluster in a short directory, one database for each test."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

_USER = "nobody"


def _program(name: str) -> str:
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else name


class Postgres:
    """initdb refuses root, so root runs it as nobody; it listens on loopback alone."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._as_root = os.geteuid() == 0
        if self._as_root:
            shutil.chown(self.top, _USER)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self._run(
            _program("initdb"), "-D", self.top / "data", "-U", "sesam", "-A", "trust",
            "--locale=C.UTF-8", "-E", "UTF8", "--no-sync",
        )  # fmt: skip
        with open(self.top / "data/postgresql.conf", "a") as file:
            file.write(
                f"listen_addresses='127.0.0.1'\nport={self.port}\n"
                f"unix_socket_directories='{self.top}'\nfsync=off\n"
            )
        self._run(_program("pg_ctl"), "-D", self.top / "data", "-w", "-l",
                  self.top / "log", "start")  # fmt: skip

    def database(self) -> str:
        """Make a fresh database; return its URL."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self._run(
            _program("createdb"), "-h", "127.0.0.1", "-p", self.port, "-U", "sesam",
            name,
        )  # fmt: skip
        return f"postgresql://sesam@127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        self._run(
            _program("pg_ctl"), "-D", self.top / "data", "-m", "immediate", "stop"
        )
        shutil.rmtree(self.top)

    def _run(self, *words: object) -> None:
        prefix = (
            ["setpriv", "--reuid", _USER, "--clear-groups"] if self._as_root else []
        )
        subprocess.run(
            [*prefix, *map(str, words)],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
