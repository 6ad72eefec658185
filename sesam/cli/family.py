"""A family of commands: one way to begin, one way to fail, one exit code for each end.

Every family is a Click group whose commands show an example, take `--format`, and end
with the exit codes of sesam(7).
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, NoReturn

import click

from sesam import __version__
from sesam.cli import streams
from sesam.cli.render import printable
from sesam.cli.site import spare_drivers
from sesam.errors import (
    OK,
    USAGE,
    WARNINGS,
    Interrupted,
    OutputLost,
    SesamError,
    exit_code_of,
)

FORMATS = ("table", "json", "jsonl", "csv")
_USAGE = "WrongUsage"
_BEYOND = 1 << 63
# Objects made until Python looks for those that refer to each other.
_GARBAGE = 50_000
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 88}


class Command(click.Command):
    """A command whose help ends with an example.

    What it is given can be stored: text is UTF-8, a number has 63 bits. Options that
    take any bytes have a type of their own.
    """

    def __init__(self, *args: Any, example: str = "", **more: Any) -> None:
        more.setdefault("context_settings", _SETTINGS)
        super().__init__(*args, **more)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for param in self.params:
            found = ctx.params.get(param.name or "")
            for value in found if isinstance(found, tuple) else (found,):
                _check(param, value, ctx)
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.example:
            formatter.write_paragraph()
            formatter.write_text("Example:")
            with formatter.indentation():
                for line in self.example.splitlines():
                    formatter.write_text(line)


class Family(click.Group):
    """A group of such commands; `main` is what a starter calls."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, example: str = "", **more: Any) -> None:
        more.setdefault("context_settings", _SETTINGS)
        more.setdefault("no_args_is_help", True)
        super().__init__(*args, **more)
        self.example = example

    format_epilog = Command.format_epilog


def _check(param: click.Parameter, value: object, ctx: click.Context) -> None:
    if isinstance(value, str) and param.type is click.STRING and not _is_text(value):
        raise click.BadParameter("this is no UTF-8 text", ctx, param)
    if isinstance(value, int) and not -_BEYOND < value < _BEYOND:
        raise click.BadParameter("this number is too large", ctx, param)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def family(name: str, example: str) -> Callable[[Callable[..., Any]], Family]:
    """Make the group of a family, with --version."""

    def made(function: Callable[..., Any]) -> Family:
        versioned = click.version_option(__version__, prog_name=name)(function)
        return click.group(name=name, cls=Family, example=example)(versioned)

    return made


def form_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--format`; its default is SESAM_FORMAT, else a table."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default=lambda: os.environ.get("SESAM_FORMAT") or "table",
        help="How to print: for people, or for programs.",
    )(function)


def yes_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--yes`: no question before something is removed."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def detach_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--detach`: a worker of its own does the job."""
    return click.option(
        "--detach", is_flag=True, help="Do not wait: a worker does it."
    )(function)


def dry_run_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--dry-run`: show what would be done, and do nothing."""
    return click.option(
        "--dry-run", is_flag=True, help="Show what would be done; change nothing."
    )(function)


def confirm(question: str, yes: bool) -> None:
    """Ask before something is removed; without a terminal nobody is asked."""
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm(question, abort=True, err=True)


def unbuffered_stdin() -> IO[bytes]:
    """Return stdin for a thread that waits on it: it must not lock the exit."""
    return open(0, "rb", buffering=0, closefd=False)


def end_with_warnings() -> NoReturn:
    """End the command: done, with warnings."""
    raise SystemExit(WARNINGS)


def run(command: click.Command) -> NoReturn:
    """Run a command to its exit code; a failure is a sentence, or JSON, on stderr."""
    # Little that a command makes is garbage; what it loads never is.
    gc.set_threshold(_GARBAGE)
    streams.secure()
    signal.signal(signal.SIGTERM, _terminated)
    code = _said(command)
    try:
        sys.stdout.flush()
    except streams.ReaderGone:
        streams.silence()
    except OutputLost as error:
        streams.silence()
        lost = _fail_with(error)
        code = code or lost
    sys.stderr.flush()
    # All is written: taking the interpreter apart takes longer than many a command.
    os._exit(code)


def _said(command: click.Command) -> int:
    """Run a command; say what went wrong, return its exit code."""
    try:
        return _done(command)
    except OutputLost as error:
        streams.silence()
        return _fail_with(error)
    except SesamError as error:
        return _fail_with(error)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
    except click.UsageError as error:
        hint = f"{error.ctx.command_path} --help" if error.ctx else ""
        return _fail(_USAGE, _sentence(error.format_message()), hint, USAGE)
    except click.ClickException as error:
        return _fail(_USAGE, _sentence(error.format_message()), "", USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _fail("Interrupted", "interrupted", "", 128 + signal.SIGINT)
    return USAGE


def _done(command: click.Command) -> int:
    """Run a command; return its exit code, OK where nobody reads what it lists."""
    try:
        spare_drivers()
        code = command.main(prog_name=command.name, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    except streams.ReaderGone:
        streams.silence()
        return OK
    return code if isinstance(code, int) else OK


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted("terminated", signal=number)


def _fail_with(error: SesamError) -> int:
    return _fail(type(error).__name__, str(error), error.hint, exit_code_of(error))


def _fail(kind: str, message: str, hint: str, code: int) -> int:
    if _wants_json():
        facts = {"error": kind, "message": message, "hint": hint, "exit_code": code}
        text = json.dumps(facts)
    else:
        text = f"error: {printable(message)}"
        text += f"\nhint: {printable(hint)}" if hint else ""
    click.echo(text.encode("utf-8", "backslashreplace"), err=True)
    return code


def _wants_json() -> bool:
    """Tell whether the caller is a program: seen before the options are parsed."""
    form = os.environ.get("SESAM_FORMAT", "")
    arguments = sys.argv[1:]
    for number, one in enumerate(arguments):
        if one == "--":
            break
        if one.startswith("--format="):
            form = one.partition("=")[2]
        elif one == "--format" and number + 1 < len(arguments):
            form = arguments[number + 1]
    return form in ("json", "jsonl")


def _sentence(text: str) -> str:
    text = text.rstrip(".")
    return text[:1].lower() + text[1:]
