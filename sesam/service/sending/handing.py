"""Handing the base's listing over a pipe: so many bytes, behind the line of the job."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import NamedTemporaryFile
from typing import IO

from sesam.device.directory import FileBlob
from sesam.errors import Busy, SourceLost, WrongUsage
from sesam.rules.naming import is_saveset_name
from sesam.saveset.listing import NAME
from sesam.service.sending.sourcejob import SourceJob
from sesam.spool import spool_failed

_CHUNK = 1 << 20


def built_on(job: SourceJob, base: str, path: str) -> SourceJob:
    """Return a job that builds on a saveset, its listing in the server's copy `path`.

    Raises Busy where that is gone: it is a cache, and newday tidies it.
    """
    try:
        return replace(job, base=base, base_bytes=os.stat(path).st_size)
    except FileNotFoundError:
        raise Busy(
            f'the listing of saveset "{base}" was dropped meanwhile',
            hint="run it again: it is fetched anew",
        ) from None


def send(path: str, pipe: IO[bytes]) -> None:
    """Write a listing to a pipe; "" = there is none. Raises OSError."""
    if path:
        with open(path, "rb") as file:
            shutil.copyfileobj(file, pipe, _CHUNK)


def opened(job: SourceJob, path: str) -> tuple[SourceJob, FileBlob]:
    """Return a job that builds on the listing in a file, and the listing.

    The file lies in a store, as SAVESET/listing.zst, or is the server's copy, as
    SAVESET.listing.zst: so its name tells the saveset's. Raises WrongUsage.
    """
    directory, name = os.path.split(os.path.abspath(path))
    saveset = name.removesuffix("." + NAME)
    if not is_saveset_name(saveset):
        saveset = os.path.basename(directory)
    if not is_saveset_name(saveset):
        raise WrongUsage(
            f'"{path}" is in no saveset\'s directory and does not bear its name',
            hint="--base STORE/SAVESET/listing.zst",
        )
    try:
        return replace(job, base=saveset), FileBlob(path)
    except OSError as error:
        raise WrongUsage(
            f'the listing "{path}" cannot be read: {error.strerror}'
        ) from error


@contextmanager
def received(job: SourceJob, pipe: IO[bytes]) -> Iterator[FileBlob | None]:
    """Take the listing that follows a job, into a file that is gone with the block.

    Yields None where the job has no base. Raises SourceLost where the pipe ends early,
    ClientError where the file does not find room.
    """
    if not job.base:
        yield None
        return
    try:
        file = NamedTemporaryFile(prefix="sesam-base-", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise spool_failed(error) from error
    with file:
        _copy(pipe, file, job.base_bytes)
        yield FileBlob(file.name)


def _copy(pipe: IO[bytes], file: IO[bytes], size: int) -> None:
    while size:
        chunk = pipe.read(min(size, _CHUNK))
        if not chunk:
            raise SourceLost("the listing of the base did not come whole")
        size -= len(chunk)
        left = memoryview(chunk)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise spool_failed(error) from error
