"""Ending a job by a signal: in good order first, at once the second time."""

import signal
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
