"""Progress on a terminal: files, bytes, rate, time left; silence everywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# files, bytes -> nothing
Report = Callable[[int, int], object]


def _silent(files: int, size_bytes: int) -> None:
    """Nobody is looking."""


@contextmanager
def progress(title: str, total_bytes: int = 0) -> Iterator[Report]:
    """Show a bar on stderr while the block runs, if that is a terminal.

    total_bytes -- 0 where it is not known: then there is no time left
    """
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[files]:,} files"),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(title, total=total_bytes or None, files=0)

        def show(files: int, size_bytes: int) -> None:
            bars.update(bar, completed=size_bytes, files=files)

        yield show
