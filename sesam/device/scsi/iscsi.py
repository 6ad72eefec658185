"""iSCSI through Debian's libiscsi: one session, one logical unit, no reconnecting.

libiscsi itself would log in again after a broken connection and go on: a tape has been
rewound then, and the next WRITE would land at its beginning. So that is switched off.
Offsets of `struct scsi_task` are those of libiscsi 1.18 to 1.20, scsi-lowlevel.h.
"""

import ctypes
import math
import select
import time
from ctypes import (
    POINTER,
    c_char,
    c_char_p,
    c_int,
    c_size_t,
    c_ubyte,
    c_uint32,
    c_void_p,
)
from functools import cache
from typing import Any

from sesam.device.scsi.transport import CHECK_CONDITION, Result
from sesam.errors import DeviceError, PositionLost

INITIATOR = b"iqn.2026-11.org.sesam:mover"
_NORMAL_SESSION = 2
_NO_DIGEST = 0
_LOGIN_S = 10
_NONE, _READ, _WRITE = 0, 1, 2
_DEAD_STATUS = 0x0F000000
_PENDING = -1
_NO_RESIDUAL = 0


class _SenseHead(ctypes.Structure):
    _fields_ = (
        ("error_type", c_ubyte),
        ("key", c_int),
        ("ascq", c_int),
        ("specific", c_ubyte * 4),
    )


class _Task(ctypes.Structure):
    _fields_ = (
        ("status", c_int),
        ("cdb_size", c_int),
        ("xfer_dir", c_int),
        ("expxferlen", c_int),
        ("cdb", c_ubyte * 16),
        ("residual_status", c_int),
        ("residual", c_size_t),
        ("sense", _SenseHead),
        ("datain_size", c_int),
        ("datain", c_void_p),
        ("mem", c_void_p),
        ("ptr", c_void_p),
        ("itt", c_uint32),
        ("cmdsn", c_uint32),
        ("lun", c_uint32),
    )


class _Url(ctypes.Structure):
    _fields_ = (
        ("portal", c_char * 256),
        ("target", c_char * 256),
        ("user", c_char * 256),
        ("passwd", c_char * 256),
        ("target_user", c_char * 256),
        ("target_passwd", c_char * 256),
        ("lun", c_int),
    )


_Done = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_void_p)


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL("libiscsi.so.7")
    except OSError as error:
        raise DeviceError(
            "libiscsi.so.7 is missing", hint="apt install libiscsi7"
        ) from error
    task, url = POINTER(_Task), POINTER(_Url)
    for name, result, *arguments in (
        ("iscsi_create_context", c_void_p, c_char_p),
        ("iscsi_destroy_context", c_int, c_void_p),
        ("iscsi_get_error", c_char_p, c_void_p),
        ("iscsi_parse_full_url", url, c_void_p, c_char_p),
        ("iscsi_destroy_url", None, url),
        ("iscsi_set_targetname", c_int, c_void_p, c_char_p),
        ("iscsi_set_session_type", c_int, c_void_p, c_int),
        ("iscsi_set_header_digest", c_int, c_void_p, c_int),
        ("iscsi_set_timeout", c_int, c_void_p, c_int),
        ("iscsi_set_noautoreconnect", None, c_void_p, c_int),
        ("iscsi_connect_sync", c_int, c_void_p, c_char_p),
        ("iscsi_login_sync", c_int, c_void_p),
        ("iscsi_logout_sync", c_int, c_void_p),
        ("iscsi_disconnect", c_int, c_void_p),
        ("iscsi_get_fd", c_int, c_void_p),
        ("iscsi_which_events", c_int, c_void_p),
        ("iscsi_service", c_int, c_void_p, c_int),
        ("scsi_create_task", task, c_int, c_char_p, c_int, c_int),
        ("scsi_free_scsi_task", None, task),
        ("scsi_task_add_data_in_buffer", c_int, task, c_int, c_void_p),
        ("scsi_task_add_data_out_buffer", c_int, task, c_int, c_void_p),
        (
            "iscsi_scsi_command_async",
            c_int,
            c_void_p,
            c_int,
            task,
            _Done,
            c_void_p,
            c_void_p,
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class IscsiTransport:
    """A session with the logical unit at `iscsi://host:port/iqn/lun`.

    Raises DeviceError where the URL is wrong or the target does not answer.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._library = _library()
        self._context = self._library.iscsi_create_context(INITIATOR)
        self._status = _PENDING
        self._done = _Done(self._ended)
        try:
            self._log_in()
        except DeviceError:
            self._library.iscsi_destroy_context(self._context)
            self._context = None
            raise

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: bytes | bytearray | memoryview = b"",
        data_in: bytearray | None = None,
        timeout_s: float,
    ) -> Result:
        if self._context is None:
            raise PositionLost(f'the session with "{self._url}" has ended')
        library = self._library
        size = len(data_out) or len(data_in or b"")
        direction = _WRITE if data_out else _READ if data_in else _NONE
        task = library.scsi_create_task(len(cdb), cdb, direction, size)
        held = None
        if data_out:
            held = _address(data_out)
            library.scsi_task_add_data_out_buffer(task, size, held[0])
        elif data_in:
            held = _address(data_in)
            library.scsi_task_add_data_in_buffer(task, size, held[0])
        try:
            self._run(task, timeout_s)
        finally:
            del held
        result = self._result(task.contents)
        library.scsi_free_scsi_task(task)
        return result

    def close(self) -> None:
        if self._context is None:
            return
        self._library.iscsi_set_timeout(self._context, 2)
        self._library.iscsi_logout_sync(self._context)
        self._drop()

    def _log_in(self) -> None:
        library, context = self._library, self._context
        url = library.iscsi_parse_full_url(context, self._url.encode())
        if not url:
            raise DeviceError(
                f'"{self._url}" is no iSCSI device', hint="iscsi://HOST:PORT/IQN/LUN"
            )
        self._lun = url.contents.lun
        portal, target = url.contents.portal, url.contents.target
        library.iscsi_destroy_url(url)
        library.iscsi_set_targetname(context, target)
        library.iscsi_set_session_type(context, _NORMAL_SESSION)
        library.iscsi_set_header_digest(context, _NO_DIGEST)
        library.iscsi_set_noautoreconnect(context, 1)
        library.iscsi_set_timeout(context, _LOGIN_S)
        # Not iscsi_full_connect: its TEST UNIT READY would eat a unit attention.
        if library.iscsi_connect_sync(context, portal) or library.iscsi_login_sync(
            context
        ):
            raise DeviceError(f'"{self._url}" does not answer: {self._why()}')
        library.iscsi_set_timeout(context, 0)

    def _run(self, task: Any, timeout_s: float) -> None:
        """Send a command and serve the session until it has ended."""
        library, context = self._library, self._context
        self._status = _PENDING
        if library.iscsi_scsi_command_async(
            context, self._lun, task, self._done, None, None
        ):
            self._break(f"cannot send: {self._why()}")
        poll = select.poll()
        until = time.monotonic() + timeout_s
        while self._status == _PENDING:
            fd = library.iscsi_get_fd(context)
            left = until - time.monotonic()
            if left <= 0:
                self._break(f"no answer within {timeout_s:g} seconds")
            poll.register(fd, library.iscsi_which_events(context))
            found = poll.poll(math.ceil(left * 1000))
            poll.unregister(fd)
            for _, events in found:
                if library.iscsi_service(context, events) and self._status == _PENDING:
                    self._break(self._why())
        if self._status >= _DEAD_STATUS:
            self._break(self._why())

    def _result(self, task: _Task) -> Result:
        sense = b""
        if task.status == CHECK_CONDITION and task.datain and task.datain_size > 2:
            # The data of a failed command are its sense, two bytes of length in front.
            raw = ctypes.string_at(task.datain, task.datain_size)
            sense = raw[2 : 2 + int.from_bytes(raw[:2], "big")]
        residual = task.residual if task.residual_status != _NO_RESIDUAL else 0
        return Result(task.status, sense, residual)

    def _ended(self, context: Any, status: int, task: Any, private: Any) -> None:
        self._status = status

    def _break(self, why: str) -> None:
        """End a session of which nothing is known any more."""
        self._drop()
        raise PositionLost(f'the session with "{self._url}" broke: {why}')

    def _drop(self) -> None:
        self._library.iscsi_disconnect(self._context)
        self._library.iscsi_destroy_context(self._context)
        self._context = None

    def _why(self) -> str:
        return str(
            (self._library.iscsi_get_error(self._context) or b"").decode("latin-1")
        )


def _address(data: bytes | bytearray | memoryview) -> tuple[int | None, Any]:
    """Return the address of a buffer, and what keeps it alive; nothing is copied."""
    if isinstance(data, memoryview) and data.readonly:
        data = bytes(data)
    if isinstance(data, bytes):
        pointer = c_char_p(data)
        return ctypes.cast(pointer, c_void_p).value, pointer
    held = (c_char * len(data)).from_buffer(data)
    return ctypes.addressof(held), held
