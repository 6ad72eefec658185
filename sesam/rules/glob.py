"""A shell glob over whole paths, and the bytes that every match must contain."""

import fnmatch
import re

from sesam.errors import WrongUsage

_SPECIAL = re.compile(rb"\*|\?|\[!?\]?[^\]]*\]")


class PathGlob:
    """`*`, `?` and `[...]` as in fnmatch(3) without flags: they match a slash too.

    literal -- the longest run of bytes that stands for itself in the pattern
    """

    def __init__(self, pattern: bytes) -> None:
        if not pattern:
            raise WrongUsage("an empty pattern matches nothing", hint="as '*/hosts'")
        self.pattern = pattern
        self.literal = max(_SPECIAL.split(pattern), key=len)
        self._match = re.compile(fnmatch.translate(pattern.decode("latin-1"))).match

    def matches(self, path: bytes) -> bool:
        """Tell whether the whole path matches.

        >>> PathGlob(b"*/h?sts").matches(b"/etc/hosts"), PathGlob(b"h").matches(b"/h")
        (True, False)
        """
        # One character a byte: whatever the bytes, `?` is one of them.
        return self._match(path.decode("latin-1")) is not None
