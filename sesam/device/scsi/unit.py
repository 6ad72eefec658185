"""A logical unit: commands with their time limits, sense turned into errors."""

import struct

from sesam.device.scsi.iscsi import IscsiTransport
from sesam.device.scsi.sense import UNIT_ATTENTION, Sense, decode, error_of
from sesam.device.scsi.sg import SgTransport
from sesam.device.scsi.transport import CHECK_CONDITION, GOOD, Transport
from sesam.errors import Busy, DeviceError

_TEST_UNIT_READY, _INQUIRY = 0x00, 0x12
_INQUIRY_BYTES = 96
_SHORT_S = 60.0
# A new session, a loaded medium, a reset: each is told once, and there may be several.
_ATTENTIONS = 8
TAPE, CHANGER = 0x01, 0x08


def open_transport(url: str) -> Transport:
    """Return the transport for a device URL. Raises DeviceError."""
    if url.startswith("iscsi://"):
        return IscsiTransport(url)
    if url.startswith("scsi:/"):
        return SgTransport(url.removeprefix("scsi:"))
    raise DeviceError(
        f'"{url}" is no device', hint="scsi:/dev/sg3 or iscsi://HOST:PORT/IQN/LUN"
    )


class Unit:
    """One logical unit, opened: unit attentions of before have been taken note of.

    url -- of the device; kind -- TAPE or CHANGER. Raises DeviceError where it is none.
    """

    def __init__(self, url: str, kind: int) -> None:
        self.url = url
        self._transport = open_transport(url)
        try:
            found = self._inquire() & 0x1F
            if found != kind:
                name = "tape drive" if kind == TAPE else "tape library"
                raise DeviceError(f'"{url}" is no {name}: SCSI type {found:#04x}')
            self.settle()
        except DeviceError:
            self.close()
            raise

    def settle(self) -> None:
        """Take note of unit attentions, so that the next one means something new."""
        for _ in range(_ATTENTIONS):
            sense = self.send(struct.pack(">B5x", _TEST_UNIT_READY), "test unit ready")
            if sense is None or sense.key != UNIT_ATTENTION:
                return

    def send(
        self,
        cdb: bytes,
        what: str,
        *,
        data_out: bytes | bytearray | memoryview = b"",
        data_in: bytearray | None = None,
        timeout_s: float = _SHORT_S,
    ) -> Sense | None:
        """Send a command; return its sense, None where all went well.

        Raises PositionLost, Busy.
        """
        result = self._transport.execute(
            cdb, data_out=data_out, data_in=data_in, timeout_s=timeout_s
        )
        if result.status == GOOD:
            return None
        if result.status == CHECK_CONDITION:
            return decode(result.sense)
        raise Busy(f'"{self.url}": {what}: status {result.status:#04x}')

    def must(
        self,
        cdb: bytes,
        what: str,
        *,
        data_out: bytes | bytearray | memoryview = b"",
        data_in: bytearray | None = None,
        timeout_s: float = _SHORT_S,
    ) -> None:
        """Send a command that has to go well. Raises what its sense says."""
        sense = self.send(
            cdb, what, data_out=data_out, data_in=data_in, timeout_s=timeout_s
        )
        if sense is not None and sense.key > 1:
            raise error_of(sense, f'"{self.url}": {what}')

    def close(self) -> None:
        """End the session."""
        self._transport.close()

    def _inquire(self) -> int:
        data = bytearray(_INQUIRY_BYTES)
        cdb = struct.pack(">BxxBBx", _INQUIRY, 0, _INQUIRY_BYTES)
        self.must(cdb, "inquiry", data_in=data)
        return data[0]
