"""One SCSI command at a time to one logical unit: what goes out, what comes back."""

from dataclasses import dataclass
from typing import Protocol

GOOD, CHECK_CONDITION = 0x00, 0x02


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: SAM status, sense data (b"" with GOOD), bytes not moved."""

    status: int
    sense: bytes = b""
    residual: int = 0


class Transport(Protocol):
    """A session with one logical unit; for one thread at a time.

    A command is never sent twice: a WRITE that was would be on the tape twice.
    """

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: bytes | bytearray | memoryview = b"",
        data_in: bytearray | None = None,
        timeout_s: float,
    ) -> Result:
        """Send a command and wait for its end.

        Raises PositionLost where the session breaks, or no answer comes in time: it is
        not known then whether the command was carried out.
        """

    def close(self) -> None:
        """End the session; closing twice does no harm."""
