"""A private sshd on loopback, and a relay before it that counts the bytes."""

import os
import select
import socket
import subprocess
import threading
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Sshd:
    """sshd with keys of its own; `config` is a file for `ssh -F`, host `rds`."""

    def __init__(self, where: Path) -> None:
        where.mkdir(mode=0o700)
        self.port = free_port()
        for name in ("host", "login"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", where / name],
                check=True,
            )
        authorized = where / "authorized_keys"
        authorized.write_bytes((where / "login.pub").read_bytes())
        authorized.chmod(0o600)
        (where / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {where}/host\n"
            f"AuthorizedKeysFile {authorized}\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n"
        )
        os.makedirs("/run/sshd", exist_ok=True)
        self.log = open(where / "log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", where / "sshd_config"],
            stderr=self.log,
        )
        self.relay = Relay(self.port)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout
        self.config = (
            f"Host rds\n HostName 127.0.0.1\n Port {self.relay.port}\n"
            f" User {user.strip()}\n IdentityFile {where}/login\n"
            " StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
            " LogLevel ERROR\n"
        )
        try:
            _wait_for(self.port)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.relay.close()
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Relay:
    """Passes connections on to a port and counts what goes either way."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection that is open."""
        for one in self._open:
            _shut(one)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open += [near, far]
            passing = threading.Thread(target=self._pass, args=(near, far), daemon=True)
            self._threads.append(passing)
            passing.start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while True:
                ready, _, _ = select.select([near, far], [], [])
                for one in ready:
                    found = one.recv(1 << 16)
                    if not found:
                        return
                    (far if one is near else near).sendall(found)
                    self.bytes += len(found)
        except OSError:
            return
        finally:
            _shut(near)
            _shut(far)


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("sshd does not come up")
