"""Values on the command line: sizes, days, paths with any byte."""

import os
import re
from datetime import MAXYEAR, MINYEAR, date, datetime, time
from typing import Any

import click

_LONGEST = 40
_DAY_LETTERS = 10
# The first and the last one are left out: a zone may lead beyond them.
_YEARS = range(MINYEAR + 1, MAXYEAR)
_fraction = re.compile(r"[.,]\d")
_clock = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_size = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:I?B)?", re.IGNORECASE)


class AnyText(click.ParamType[Any]):
    """A text of any bytes, as a name of a file may be; other text is UTF-8."""

    name = "text"


class Size(click.ParamType[Any]):
    """A number of bytes: `4G`, `500M`, `1.5T`; units are powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        found = _size.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            self.fail(f'"{text:.{_LONGEST}}" is no size: 500M, 4G, 1.5T', param, ctx)
        from fractions import Fraction

        return int(Fraction(found[1]) * 1024 ** _UNITS[found[2].upper()])


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


class Clock(click.ParamType[Any]):
    """A time of the day: HH:MM."""

    name = "hh:mm"

    def convert(self, value: Any, param: Any, ctx: Any) -> time:
        if isinstance(value, time):
            return value
        found = _clock.fullmatch(value)
        try:
            if found is None:
                raise ValueError("no hours and minutes")
            return time(int(found[1]), int(found[2]))
        except ValueError:
            self.fail(f'"{value}" is no time of the day: HH:MM, as 20:00', param, ctx)


class Between(click.ParamType[Any]):
    """Hours of the day, which may cross midnight: HH:MM-HH:MM; 24:00 is midnight."""

    name = "hh:mm-hh:mm"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[time, time]:
        if isinstance(value, tuple):
            return value
        begin, dash, end = value.partition("-")
        if not dash:
            self.fail(f'"{value}" is no HH:MM-HH:MM, as 08:00-18:00', param, ctx)
        late = "00:00" if end == "24:00" else end
        return CLOCK.convert(begin, param, ctx), CLOCK.convert(late, param, ctx)


class Instant(click.ParamType[Any]):
    """An instant: YYYY-MM-DDTHH:MM:SS, with an offset or in this machine's zone."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            if moment.year not in _YEARS:
                raise ValueError("no zone leads out of the calendar")
        except ValueError:
            self.fail(f'"{value}" is no instant, as 2027-03-28T02:00:00 is', param, ctx)
        # Without a fraction the whole second is meant: its end.
        if not _fraction.search(value):
            moment = moment.replace(microsecond=999999)
        return moment


class Moment(click.ParamType[Any]):
    """A day, or an instant."""

    name = "day|instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        kind = DAY if len(str(value)) == _DAY_LETTERS else INSTANT
        found: date = kind.convert(value, param, ctx)
        return found


class RawPath(click.ParamType[Any]):
    """An absolute path, as the bytes that were typed; relative ones begin here."""

    name = "path"

    def convert(self, value: Any, param: Any, ctx: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if not value:
            self.fail("an empty path names nothing", param, ctx)
        return os.path.abspath(os.fsencode(value))


class SavedPath(click.ParamType[Any]):
    """A path as a saveset holds it: bytes, absolute; `etc` means `/etc`."""

    name = "path"

    def convert(self, value: Any, param: Any, ctx: Any) -> bytes:
        from sesam.rules.paths import normal

        raw = os.fsencode(value)
        # "" and "." are no way to say everything.
        if normal(raw) == b"/" and not raw.startswith(b"/"):
            self.fail(f'"{value}" names nothing: "/" is everything', param, ctx)
        return raw


class Directory(click.ParamType[Any]):
    """The path of a data store, which the catalog keeps as text."""

    name = "dir"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("the path of a data store is UTF-8", param, ctx)
        if not text:
            self.fail("an empty path names no directory", param, ctx)
        return text


CLOCK, BETWEEN = Clock(), Between()
ANY_TEXT, SIZE, DAY, INSTANT = AnyText(), Size(), Day(), Instant()
MOMENT = Moment()
RAW_PATH, SAVED_PATH, DIRECTORY = RawPath(), SavedPath(), Directory()
