"""The line that an object of the walk gets in the listing."""

import os
from functools import lru_cache

from sesam.client.content import owner
from sesam.saveset.listing import Place, owner_fields, plain, with_target

NOT_SAVED: Place = (b"-", 0, 0)
NO_DIGEST = b"-"

# By (mark, linked): whether the next INCR shall take the object again, whatever its
# stat says then; whether a restore ties it to the other names of its inode.
FLAGS = {
    (False, False): b"-",
    (True, False): b"m",
    (False, True): b"h",
    (True, True): b"mh",
}


def line_of(
    path: bytes,
    letter: bytes,
    found: os.stat_result,
    digest: bytes,
    place: Place,
    flags: bytes,
    target: bytes,
) -> bytes:
    """Return the line of one object, its end included.

    found -- the stat taken before the first byte was read; flags -- of FLAGS
    """
    line = plain(
        path,
        letter,
        _owner(found.st_mode & 0o7777, found.st_uid, found.st_gid),
        0 if letter == b"d" else found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_dev,
        found.st_ino,
        digest,
        flags,
        *place,
    )
    return with_target(line, target) if target else line


@lru_cache(65536)
def _owner(mode: int, uid: int, gid: int) -> bytes:
    return owner_fields(mode, *owner(uid, gid))
