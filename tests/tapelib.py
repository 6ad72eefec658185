"""A private tape library: tgtd over loopback iSCSI, its backing files read directly."""

import ctypes
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
_ROBOT, _DRIVE, _SLOT = 1, 256, 1024
_SET_PDEATHSIG = 1
# Header of a record in a backing file of tgt 1.0.85: checksum, sizes, type, numbers.
_RECORD = struct.Struct(">4sIIIQQQQ")
_EOD, _FILEMARK, _DATA = 0x20, 0x40, 0x02


class TapeLibrary:
    """Drives, slots and tapes of so many MiB; tape N lies in slot N, barcode TN."""

    def __init__(self, tapes: int = 4, size_mib: int = 6, drives: int = 2) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="tl", dir="/tmp"))
        self.iqn = f"iqn.2026-11.test.tapes:{uuid.uuid4().hex[:12]}"
        self.drives, self.tapes = drives, tapes
        self.barcodes = [f"T{number}L8" for number in range(1, tapes + 1)]
        for barcode in self.barcodes:
            self._run(
                "tgtimg", "--op", "new", "--device-type", "tape", "--type", "data",
                "--barcode", barcode, "--size", size_mib, "--file", self.top / barcode,
            )  # fmt: skip
        (self.top / "smc").write_bytes(bytes(1024))
        self._start()
        self._configure()

    @property
    def changer(self) -> str:
        return self.url(self.drives + 1)

    def url(self, lun: int) -> str:
        """The URL of a drive, counted from 1, or of the changer behind them."""
        return f"iscsi://127.0.0.1:{self.port}/{self.iqn}/{lun}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.top)

    def tape_files(self, barcode: str) -> list[list[bytes]]:
        """The blocks of each tape file of a tape, read from its backing file alone."""
        return list(_tape_files((self.top / barcode).read_bytes()))

    def _run(self, program: str, *arguments: object) -> str:
        done = subprocess.run(
            [shutil.which(program, path=_PATH) or program, *map(str, arguments)],
            env={**os.environ, "TGT_IPC_SOCKET": str(self.top / "s")},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, done
        return done.stdout

    def _admin(self, *arguments: object) -> str:
        return self._run("tgtadm", "-C", "1", "--lld", "iscsi", *arguments)

    def _start(self) -> None:
        prctl = ctypes.CDLL(None).prctl
        for _ in range(20):
            self.port = _free_port()
            with open(self.top / "log", "ab") as log:
                self.process = subprocess.Popen(
                    [
                        shutil.which("tgtd", path=_PATH) or "tgtd", "-f", "-C", "1",
                        "-t", "2", "--iscsi", f"portal=127.0.0.1:{self.port}",
                    ],
                    env={**os.environ, "TGT_IPC_SOCKET": str(self.top / "s")},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=lambda: prctl(_SET_PDEATHSIG, signal.SIGKILL),
                )  # fmt: skip
            if self._is_up():
                return
            self.kill()
        raise AssertionError((self.top / "log").read_text())

    def _is_up(self) -> bool:
        """tgtd goes on when it cannot bind its port: ask which ones it has."""
        for _ in range(250):
            if (self.top / "s.1").exists():
                shown = self._admin("--op", "show", "--mode", "portal")
                return f":{self.port}," in shown
            time.sleep(0.02)
        return False

    def _configure(self) -> None:
        self._admin("--mode", "target", "--op", "new", "--tid", 1, "-T", self.iqn)
        unit = ("--mode", "logicalunit", "--tid", 1, "--lun")
        for lun in range(1, self.drives + 1):
            self._admin(
                *unit, lun, "--op", "new", "-b", self.top / self.barcodes[0],
                "--device-type", "tape",
            )  # fmt: skip
            self._admin(*unit, lun, "--op", "update", "--params", "online=0")
        changer = self.drives + 1
        self._admin(
            *unit, changer, "--op", "new", "-b", self.top / "smc",
            "--device-type", "changer",
        )  # fmt: skip
        elements = [
            f"media_home={self.top}",
            f"element_type=1,start_address={_ROBOT},quantity=1",
            f"element_type=4,start_address={_DRIVE},quantity={self.drives}",
            f"element_type=2,start_address={_SLOT},quantity={self.tapes + 2}",
        ]
        for number in range(self.drives):
            elements.append(
                f"element_type=4,address={_DRIVE + number},tid=1,lun={number + 1}"
            )
        for number, barcode in enumerate(self.barcodes):
            elements.append(
                f"element_type=2,address={_SLOT + number},barcode={barcode},sides=1"
            )
        for one in elements:
            self._admin(*unit, changer, "--op", "update", "--params", one)
        self._admin("--mode", "target", "--op", "bind", "--tid", 1, "-I", "ALL")


def _tape_files(raw: bytes) -> Iterator[list[bytes]]:
    at = 0
    blocks: list[bytes] = []
    while True:
        _, size, _, kind, _, _, _, following = _RECORD.unpack_from(raw, at)
        if kind == _DATA:
            begin = at + _RECORD.size
            blocks.append(raw[begin : begin + size])
        elif kind == _FILEMARK:
            yield blocks
            blocks = []
        elif kind == _EOD:
            if blocks:
                yield blocks
            return
        at = following


def _free_port() -> int:
    # Below the range of outgoing connections: none takes it before tgtd does.
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
