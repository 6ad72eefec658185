"""Asking for the passphrase of an identity: on a terminal, else a line of stdin."""

import sys

import click

from sesam.cli.values import ANY_TEXT

identity_option = click.option(
    "--identity",
    "identities",
    multiple=True,
    type=ANY_TEXT,
    metavar="KEY",
    help="Age identity file; may be repeated.",
)


def ask_passphrase() -> str:
    """Return the passphrase that opens an identity; "" where nobody gives one."""
    if sys.stdin.isatty():
        return _text(click.prompt("Passphrase", hide_input=True, err=True))
    return _line()


def new_passphrase() -> str:
    """Return the passphrase that is to protect an identity. Raises UsageError."""
    if sys.stdin.isatty():
        found = click.prompt("Passphrase", hide_input=True, err=True)
        again = click.prompt("Once more", hide_input=True, err=True)
        if found != again:
            raise click.UsageError("the two passphrases differ")
        return _text(found)
    found = _line()
    if not found:
        raise click.UsageError("--passphrase needs a line on stdin")
    return found


def _line() -> str:
    try:
        return _text(sys.stdin.readline().rstrip("\n"))
    except OSError as error:
        raise click.UsageError(f"stdin cannot be read: {error.strerror}") from error


def _text(word: str) -> str:
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise click.UsageError("a passphrase is UTF-8 text") from error
    return word
