"""Starting a source in a process of its own: as a child, or on its client by ssh."""

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO

from sesam.errors import ClientError, SourceLost, SourceUnreadable, Unreachable
from sesam.ports import Outlet
from sesam.rules.records import Client
from sesam.saveset.stream import replay
from sesam.service import sourcejob
from sesam.service.sourcejob import SourceJob

_SSH_FAILED = 255
_NOT_FOUND = (126, 127)
_LOOK_S = 0.2
_END_S = 30
_TOLD_LIMIT = 4000


def starter_argv(
    name: str, client: Client, ssh_config: str, *arguments: str
) -> list[str]:
    """Return the command that starts program `name` on a client.

    ssh_config -- file for ssh's -F, "" = the login's own
    """
    if not client.ssh:
        module = name.removeprefix("sm_")
        return [sys.executable, "-m", f"sesam.cli.{module}", *arguments]
    there = f"{client.program.rstrip('/')}/{name}" if client.program else name
    # ssh hands one line to the shell over there.
    command = shlex.join([there, *arguments])
    config = ["-F", ssh_config] if ssh_config else []
    # Never a question: a backup at night has nobody to answer it.
    return ["ssh", *config, "-T", "-o", "BatchMode=yes", client.ssh, "--", command]


def run_source(
    argv: Sequence[str], job: SourceJob, outlet: Outlet, stopped: Callable[[], bool]
) -> None:
    """Run a source to its end and hand what it sends to `outlet`.

    stopped -- once true the source is told to close in good order
    Raises Unreachable, SourceUnreadable, SourceLost, ClientError with what the source
    said on its stderr.
    """
    try:
        source = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Unreachable(f'"{argv[0]}" cannot be run: {error.strerror}') from error
    assert source.stdin is not None
    assert source.stdout is not None
    assert source.stderr is not None
    told: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(source.stderr, told), daemon=True)
    listener.start()
    over = threading.Event()
    teller = threading.Thread(
        target=_tell, args=(source.stdin, job, stopped, over), daemon=True
    )
    teller.start()
    try:
        replay(source.stdout, outlet)
    except SourceLost as error:
        listener.join(_END_S)
        raise _failed(argv, source, b"".join(told)) from error
    finally:
        over.set()
        teller.join(_END_S)
        _end(source)
        listener.join(_END_S)
        source.stdout.close()
        source.stderr.close()


def _tell(
    pipe: IO[bytes], job: SourceJob, stopped: Callable[[], bool], over: threading.Event
) -> None:
    """Send the job, then wait: end of file would tell the source to stop."""
    try:
        pipe.write(sourcejob.encode(job).encode() + b"\n")
        pipe.flush()
        while not over.wait(_LOOK_S):
            if stopped():
                pipe.write(b"stop\n")
                pipe.flush()
                over.wait()
        pipe.close()
    except (OSError, ValueError):
        return  # it has ended: its exit code and its stream say why


def _listen(pipe: IO[bytes], told: list[bytes]) -> None:
    kept = 0
    for line in pipe:
        if kept < _TOLD_LIMIT:
            told.append(line)
            kept += len(line)


def _end(source: subprocess.Popen[bytes]) -> None:
    try:
        source.wait(_END_S if source.poll() is None else 0)
    except subprocess.TimeoutExpired:
        source.kill()
        source.wait()


def _failed(
    argv: Sequence[str], source: subprocess.Popen[bytes], told: bytes
) -> ClientError:
    """Return the error that tells why the source sent no end."""
    _end(source)
    lines = told.decode("utf-8", "replace").strip().splitlines()
    said = "; ".join(line.removeprefix("error: ") for line in lines[-3:])
    code = source.returncode
    if code == SourceUnreadable.exit_code:
        return SourceUnreadable(said)
    remote = os.path.basename(argv[0]) == "ssh"
    if remote and (code == _SSH_FAILED or code in _NOT_FOUND):
        return Unreachable(f'ssh to "{argv[-3]}": {said or f"exit {code}"}')
    return SourceLost(
        f"the source ended before it had sent everything: {said or f'exit {code}'}"
    )
