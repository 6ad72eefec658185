"""Starting a source in a process of its own: as a child, or on its client by ssh."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from sesam.errors import (
    ClientError,
    Interrupted,
    SourceLost,
    SourceUnreadable,
    Unreachable,
)
from sesam.ports import Outlet
from sesam.saveset.stream import replay
from sesam.service.afar.child import LOOK_S, Child, Patience, running
from sesam.service.sending import handing, sourcejob
from sesam.service.sending.sourcejob import SourceJob

_SSH_FAILED = 255
_NOT_FOUND = (126, 127)
# A source that is told to stop sends the rest of what it has at once.
GRACE_S = 15.0


@dataclass(frozen=True, slots=True)
class SourceCall:
    """A source to be run: the command that starts it, and what it is told.

    base -- file with the listing that the job builds on, "" where there is none
    """

    argv: Sequence[str]
    job: SourceJob
    base: str = ""


def run_source(
    call: SourceCall,
    outlet: Outlet,
    stopped: Callable[[], bool],
    *,
    lost: Callable[[], bool] = lambda: False,
    grace_s: float = GRACE_S,
) -> None:
    """Run a source to its end and hand what it sends to `outlet`.

    stopped -- once true the source is told to close in good order, and is ended when
    nothing has come from it for `grace_s` then; lost -- once true it is ended at once
    Raises Unreachable, SourceUnreadable, SourceLost, ClientError with what the source
    said on its stderr; Interrupted where it was ended.
    """

    def tell(pipe: IO[bytes], over: threading.Event) -> None:
        _tell(pipe, call, stopped, over)

    with running(call.argv, tell, Patience(stopped, grace_s, lost)) as source:
        try:
            replay(source.out, outlet)
        except SourceLost as error:
            if source.killed:
                raise Interrupted("the source did not end, and was killed") from error
            raise _failed(call.argv, source) from error


def _tell(
    pipe: IO[bytes],
    call: SourceCall,
    stopped: Callable[[], bool],
    over: threading.Event,
) -> None:
    """Send the job, then wait: end of file would tell the source to stop."""
    pipe.write(sourcejob.encode(call.job).encode() + b"\n")
    handing.send(call.base, pipe)
    pipe.flush()
    while not over.wait(LOOK_S):
        if stopped():
            pipe.write(b"stop\n")
            pipe.flush()
            over.wait()


def _failed(argv: Sequence[str], source: Child) -> ClientError:
    """Return the error that tells why the source sent no end."""
    code = source.exit_code()
    lines = source.said()
    said = "; ".join(line.removeprefix("error: ") for line in lines[-3:])
    if code == SourceUnreadable.exit_code:
        return SourceUnreadable(said)
    remote = os.path.basename(argv[0]) == "ssh"
    if remote and (code == _SSH_FAILED or code in _NOT_FOUND):
        return Unreachable(f'ssh to "{argv[-3]}": {said or f"exit {code}"}')
    return SourceLost(
        f"the source ended before it had sent everything: {said or f'exit {code}'}"
    )
