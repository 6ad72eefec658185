"""Linux's SCSI generic driver: the SG_IO ioctl on /dev/sgN (scsi/sg.h, version 3)."""

import ctypes
import fcntl
import os

from sesam.device.scsi.transport import Result
from sesam.errors import DeviceError, PositionLost

_SG_IO = 0x2285
_NONE, _TO_DEVICE, _FROM_DEVICE = -1, -2, -3
_SENSE_BYTES = 96


class _Header(ctypes.Structure):
    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class SgTransport:
    """A device node of the SCSI generic driver. Raises DeviceError."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceError(f'"{path}" cannot be opened: {error.strerror}') from error

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: bytes | bytearray | memoryview = b"",
        data_in: bytearray | None = None,
        timeout_s: float,
    ) -> Result:
        sense = ctypes.create_string_buffer(_SENSE_BYTES)
        command = ctypes.create_string_buffer(cdb, len(cdb))
        data = ctypes.create_string_buffer(0)
        direction = _NONE
        if data_out:
            data = ctypes.create_string_buffer(bytes(data_out), len(data_out))
            direction = _TO_DEVICE
        elif data_in:
            data = ctypes.create_string_buffer(len(data_in))
            direction = _FROM_DEVICE
        header = _Header(
            interface_id=ord("S"),
            dxfer_direction=direction,
            cmd_len=len(cdb),
            mx_sb_len=_SENSE_BYTES,
            dxfer_len=len(data),
            dxferp=ctypes.addressof(data),
            cmdp=ctypes.addressof(command),
            sbp=ctypes.addressof(sense),
            timeout=int(timeout_s * 1000),
        )
        try:
            fcntl.ioctl(self._fd, _SG_IO, header)
        except OSError as error:
            raise PositionLost(f'"{self._path}" failed: {error.strerror}') from error
        # The low bits of the driver's status say only that there is sense.
        if header.host_status or header.driver_status & 0x07:
            raise PositionLost(
                f'"{self._path}" failed: host {header.host_status:#x},'
                f" driver {header.driver_status:#x}"
            )
        if data_in is not None:
            data_in[:] = data.raw
        written = sense.raw[: header.sb_len_wr]
        return Result(header.status, written, max(0, header.resid))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
