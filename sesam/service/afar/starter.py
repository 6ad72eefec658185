"""The command line that starts a program of the family, here or on a client."""

import shlex
import sys

from sesam.rules.records import Client


def starter_argv(
    name: str, client: Client, ssh_config: str, *arguments: str
) -> list[str]:
    """Return the command that starts program `name` on a client.

    ssh_config -- file for ssh's -F, "" = the login's own
    """
    if not client.ssh:
        module = name.removeprefix("sm_")
        return [sys.executable, "-m", f"sesam.cli.{module}", *arguments]
    there = f"{client.program.rstrip('/')}/{name}" if client.program else name
    # ssh hands one line to the shell over there.
    command = shlex.join([there, *arguments])
    config = ["-F", ssh_config] if ssh_config else []
    # Never a question: a backup at night has nobody to answer it. And never a wait for
    # a machine that is gone: it is asked for a sign of life.
    options = ("BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=4")
    words = [word for one in options for word in ("-o", one)]
    return ["ssh", *config, "-T", *words, client.ssh, "--", command]
