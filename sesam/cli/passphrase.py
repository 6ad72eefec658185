"""Asking for the passphrase of an identity."""

import sys

import click


def ask_passphrase() -> str:
    """Ask for the passphrase of an identity; without a terminal a line of stdin."""
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")
