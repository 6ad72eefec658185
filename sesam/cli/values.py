"""Values on the command line: sizes, days, paths with any byte."""

import os
import re
from datetime import date, datetime
from typing import Any

import click

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_size = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:I?B)?", re.IGNORECASE)


class Size(click.ParamType[Any]):
    """A number of bytes: `4G`, `500M`, `1.5T`; units are powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        found = _size.fullmatch(str(value).strip())
        if found is None:
            self.fail(f'"{value}" is no size: 500M, 4G, 1.5T', param, ctx)
        return int(float(found[1]) * 1024 ** _UNITS[found[2].upper()])


class Day(click.ParamType[Any]):
    """A day: YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is no day: YYYY-MM-DD', param, ctx)


class Instant(click.ParamType[Any]):
    """An instant: YYYY-MM-DDTHH:MM:SS, with an offset or in this machine's zone."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is no instant, as 2027-03-28T02:00:00 is', param, ctx)
        # Without a fraction the whole second is meant: its end.
        if "." not in value:
            moment = moment.replace(microsecond=999999)
        return moment


class RawPath(click.ParamType[Any]):
    """An absolute path, as the bytes that were typed; relative ones begin here."""

    name = "path"

    def convert(self, value: Any, param: Any, ctx: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if not value:
            self.fail("an empty path names nothing", param, ctx)
        return os.path.abspath(os.fsencode(value))


SIZE, DAY, INSTANT, RAW_PATH = Size(), Day(), Instant(), RawPath()
