"""Ending a job by a signal: in good order first, at once the second time."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sesam.service.ground.heartbeat import Heartbeat


def stop_by_signal(heartbeat: "Heartbeat") -> None:
    """Let a first SIGINT or SIGTERM end the job in good order, a second one at once."""

    def told(number: int, frame: FrameType | None) -> None:
        heartbeat.stop(number)
        signal.signal(number, signal.default_int_handler)

    signal.signal(signal.SIGINT, told)
    signal.signal(signal.SIGTERM, told)


def stop_between() -> tuple[int, Callable[[], bool]]:
    """Let SIGINT or SIGTERM end a command between two pieces of its work.

    Return a descriptor that becomes readable then, and what tells whether it did. A
    second signal ends it at once.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    told: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        told.append(number)
        os.write(writer, b".")
        signal.signal(number, signal.default_int_handler)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return reader, lambda: bool(told)
