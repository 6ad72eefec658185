"""Whose a restored object becomes: by name where known here, else by number."""

import grp
import pwd
from functools import lru_cache


@lru_cache(65536)
def uid_of(name: str, uid: int) -> int:
    """Return the number that a user's name has here, `uid` where it has none."""
    try:
        return pwd.getpwnam(name).pw_uid if name else uid
    except (KeyError, ValueError):
        return uid


@lru_cache(65536)
def gid_of(name: str, gid: int) -> int:
    """Return the number that a group's name has here, `gid` where it has none."""
    try:
        return grp.getgrnam(name).gr_gid if name else gid
    except (KeyError, ValueError):
        return gid
