"""sm_sbc: the source of a backup, on the client."""

import os
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

import click

from sesam import __version__
from sesam.cli import family
from sesam.cli.family import Command, unbuffered_stdin
from sesam.cli.values import ANY_TEXT, RAW_PATH, SIZE
from sesam.errors import SourceLost

if TYPE_CHECKING:
    from sesam.ports import Blob
    from sesam.service.sending.sourcejob import SourceJob


@click.command(
    "sm_sbc",
    cls=Command,
    example="sm_sbc --source /etc | sm_sms --store /srv/backup",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=RAW_PATH,
    metavar="PATH",
    help="A directory or file to read; may be repeated.",
)
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    type=ANY_TEXT,
    metavar="PATTERN",
    help="Glob, or re:EXPRESSION; may be repeated.",
)
@click.option(
    "--exclude-caches", is_flag=True, help="Leave out what CACHEDIR.TAG marks."
)
@click.option(
    "--exclude-if-present",
    multiple=True,
    type=ANY_TEXT,
    metavar="NAME",
    help="A directory that holds NAME keeps NAME alone.",
)
@click.option(
    "--one-file-system", is_flag=True, help="Stay on the file system of each source."
)
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="AGE",
    help="Encrypt to this age public key; may be repeated.",
)
@click.option(
    "--zstd-level",
    type=click.IntRange(1, 19),
    default=3,
    show_default=True,
    help="How hard to compress.",
)
@click.option(
    "--segment-size",
    "segment_bytes",
    type=SIZE,
    default=4 << 30,
    help="Bytes of tar in a data segment; default: 4G.",
)
@click.option(
    "--base",
    type=ANY_TEXT,
    metavar="FILE",
    help="Listing of the saveset to build on: only what has changed since is sent.",
)
@click.version_option(__version__, prog_name="sm_sbc")
def sbc(sources: tuple[bytes, ...], base: str | None, **values: Any) -> None:
    """Read a tree and send it as a stream on stdout, for sm_sms to write.

    Without --source the job comes on stdin, as one line of JSON, and behind it the
    base's listing where it has one; a line `stop` then ends the stream in good
    order, and end of file breaks it off.
    """
    from sesam.errors import WrongUsage
    from sesam.service.ground.definition import check_definition, refuse_absent
    from sesam.service.sending import handing, sourcejob

    if sources:
        job = sourcejob.SourceJob(sources=sources, pass_stores=True, **values)
        # Before the first record: a mover may be waiting behind the pipe.
        check_definition(job)
        refuse_absent(job.sources)
        stop = threading.Event()
        if base is None:
            return _send(job, None, stop)
        return _send(*handing.opened(job, base), stop)
    if sys.stdin.isatty():
        raise WrongUsage("name a --source", hint="sm_sbc --help")
    orders, stop = unbuffered_stdin(), threading.Event()
    job = sourcejob.decode(orders.readline().decode("utf-8", "replace"))
    with handing.received(job, orders) as listing:
        threading.Thread(target=_obey, args=(orders, stop), daemon=True).start()
        _send(job, listing, stop)
    return None


def _send(job: "SourceJob", base: "Blob | None", stop: threading.Event) -> None:
    from sesam.errors import WrongUsage
    from sesam.saveset.stream import StreamWriter
    from sesam.service.sending.source import Source

    if sys.stdout.isatty():
        raise WrongUsage("the stream is nothing for a terminal", hint="... | sm_sms")
    out = StreamWriter(sys.stdout.buffer)
    try:
        Source(job, out, stopped=stop.is_set, base=base).run()
    except SourceLost:
        # What is still held back must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _obey(orders: IO[bytes], stop: threading.Event) -> None:
    """Wait for what the server says."""
    for line in orders:
        if line.strip() == b"stop":
            stop.set()
    # The server, or the connection to it, is gone: nobody will take the end.
    if not stop.is_set():
        os._exit(SourceLost.exit_code)


def main() -> None:
    """Run sm_sbc."""
    family.run(sbc)


if __name__ == "__main__":
    main()
