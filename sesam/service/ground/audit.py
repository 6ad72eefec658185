"""The audit: who did what to which object, in the transaction of what was done."""

import os
import pwd

from sesam.catalog import audit
from sesam.service.ground.site import Site


def record(site: Site, what: str, name: str, detail: str = "") -> None:
    """Record what is done to an object; to be called within `change`."""
    audit.record(site.clock(), user(), site.command, what, name, detail)


def user() -> str:
    """Return the Unix user of this process, and who became it by sudo.

    What the environment says of that is a claim: root could say anything there.
    """
    own = os.getuid()
    try:
        name = pwd.getpwuid(own).pw_name
    except KeyError:
        name = str(own)
    before = os.environ.get("SUDO_USER") or os.environ.get("DOAS_USER") or ""
    plain = "".join(c for c in before if c.isprintable())
    return f"{plain} as {name}" if plain and plain != name else name
