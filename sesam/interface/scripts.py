"""Programs of the admin: found by name, and run only where nobody else may change them.

Whoever may write to such a directory may run anything as the site's user: so it, and
each program in it, belongs to that user or to root, and nobody else may write to it.
"""

import os
import stat

from sesam.errors import InterfaceUnusable, NotFound, WrongUsage

DIRECTORY = "etc/interface.d"
PAIRS = {"sbc": ("sbc_pre", "sbc_post"), "res": ("res_pre", "res_post")}


_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def script(directory: str, name: str) -> str:
    """Return the path of a script, "" where there is none.

    Raises InterfaceUnusable where there is one that cannot be run.
    """
    path = os.path.join(directory, name)
    if not os.path.lexists(path):
        return ""
    try:
        return program(directory, name)
    except (NotFound, WrongUsage) as error:
        raise InterfaceUnusable(str(error), hint=error.hint) from error


def program(directory: str, name: str) -> str:
    """Return the path of a program that may be run.

    Raises NotFound, WrongUsage where it is none, or others than the site may change it.
    """
    path = os.path.join(directory, name)
    for one in (directory, path):
        try:
            found = os.stat(one)
        except OSError as error:
            raise NotFound(
                f'"{one}" cannot be run: {(error.strerror or str(error)).lower()}',
                hint=f"programs that are run lie in {directory}",
            ) from error
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & _OTHERS:
            raise WrongUsage(
                f'"{one}" may be changed by others than this site: it is not run',
                hint=f"chown and chmod go-w {one}",
            )
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise WrongUsage(f'"{path}" is no program', hint=f"chmod +x {path}")
    return path
