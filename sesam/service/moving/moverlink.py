"""Driving a mover on another machine: only control reaches this one, never the data."""

import base64
import json
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from sesam import errors
from sesam.catalog.jobs import LEASE_S
from sesam.errors import (
    DeviceError,
    Interrupted,
    SesamError,
    UnknownFormat,
    Unreachable,
)
from sesam.service.afar.child import LOOK_S, Patience, running
from sesam.service.moving import moverjob
from sesam.service.moving.control import LINE_LIMIT, decode_piece, decode_written
from sesam.service.moving.mover import Watcher, Written
from sesam.service.moving.moverjob import MoverJob
from sesam.service.sending import handing, sourcejob
from sesam.service.sending.sourcelink import SourceCall

# A mover that is told to stop waits for its source, and until all is on the medium.
GRACE_S = 120.0


def run_mover(
    argv: Sequence[str],
    job: MoverJob,
    source: SourceCall,
    *,
    watcher: Watcher,
    stopped: Callable[[], bool],
    lease_s: float = LEASE_S,
    grace_s: float = GRACE_S,
) -> Written:
    """Run `sm_sms --control` to its end; return what it has made durable.

    argv -- starts it; source -- started from there; without argv it runs in the mover
    stopped -- once true the mover is told to end in good order, and is cut off when
    nothing has come from it for `grace_s` then
    Raises Unreachable, Interrupted, and what the mover itself raised.
    """
    order = {
        "mover": moverjob.encode(job),
        "source": json.loads(sourcejob.encode(source.job)),
        "source_argv": list(source.argv),
        "lease_s": lease_s,
    }

    def tell(pipe: IO[bytes], over: threading.Event) -> None:
        _tell(pipe, order, source.base, stopped, over)

    with running(argv, tell, Patience(stopped, grace_s)) as mover:
        written = _listen(mover.out, watcher)
        if written is None and mover.killed:
            raise Interrupted("the mover did not end, and was cut off")
        if written is None:
            said = " ".join(mover.said())
            raise Unreachable(
                f'the mover "{" ".join(argv)}" ended without a result: {said}'
            )
        return written


def _tell(
    pipe: IO[bytes],
    order: dict[str, Any],
    base: str,
    stopped: Callable[[], bool],
    over: threading.Event,
) -> None:
    """Send the job, then renewals as long as this process lives."""
    waited, was_told = 0.0, False
    _send(pipe, order)
    handing.send(base, pipe)
    while not over.wait(LOOK_S):
        waited += LOOK_S
        if stopped() and not was_told:
            was_told = True
            _send(pipe, {"stop": True})
        if waited >= order["lease_s"] / 4:
            waited = 0.0
            _send(pipe, {"renew": True})


def _send(pipe: IO[bytes], facts: dict[str, Any]) -> None:
    pipe.write(json.dumps(facts).encode() + b"\n")
    pipe.flush()


def _listen(pipe: IO[bytes], watcher: Watcher) -> Written | None:
    while line := pipe.readline(LINE_LIMIT):
        try:
            facts = json.loads(line)
            kind = facts["type"]
            if kind == "done":
                return decode_written(facts)
            if kind == "error":
                raise _same_error(facts)
            _pass_on(kind, facts, watcher)
        except (ValueError, KeyError, TypeError) as error:
            raise UnknownFormat(
                f"the mover says what cannot be read: {line[:80]!r}",
                hint="install the same release on both machines",
            ) from error
    return None


def _pass_on(kind: str, facts: dict[str, Any], watcher: Watcher) -> None:
    if kind == "progress":
        watcher.progress(int(facts["files"]), int(facts["bytes"]))
    elif kind in ("warning", "note"):
        take = watcher.warning if kind == "warning" else watcher.note
        take(base64.b64decode(facts["path_b64"]), str(facts["reason"]))
    elif kind == "listing":
        watcher.listing(base64.b64decode(facts["data_b64"]))
    elif kind == "piece":
        watcher.piece(decode_piece(facts["piece"]))
    elif kind == "media":
        watcher.media(tuple(facts["media"]))


def _same_error(facts: dict[str, Any]) -> SesamError:
    """Return the error of the mover as the class that has its exit code here."""
    for one in vars(errors).values():
        if (
            isinstance(one, type)
            and issubclass(one, SesamError)
            and one.exit_code == facts["code"]
        ):
            return one(str(facts["message"]), hint=str(facts["hint"]))
    return DeviceError(str(facts["message"]), hint=str(facts["hint"]))
