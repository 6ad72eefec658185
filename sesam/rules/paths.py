"""Order of paths: component by component as bytes, a directory before its content."""

from collections.abc import Iterable


def walk_key(path: bytes) -> list[bytes]:
    """Return the key that sorts absolute paths in walk order.

    >>> sorted([b"/a.b", b"/a/b", b"/a"], key=walk_key)
    [b'/a', b'/a/b', b'/a.b']
    """
    return path.strip(b"/").split(b"/")


def is_below(path: bytes, top: bytes) -> bool:
    """Tell whether `path` is `top` or lies below it.

    >>> is_below(b"/a/b", b"/a"), is_below(b"/ab", b"/a"), is_below(b"/x", b"/")
    (True, False, True)
    """
    return path == top or path.startswith(top.rstrip(b"/") + b"/")


def roots(sources: Iterable[bytes]) -> list[bytes]:
    """Return the sources in walk order, without those that lie below another.

    >>> roots([b"/home/x", b"/var/", b"/home"])
    [b'/home', b'/var']
    """
    found: list[bytes] = []
    for path in sorted({normal(one) for one in sources}, key=walk_key):
        if not found or not is_below(path, found[-1]):
            found.append(path)
    return found


def normal(path: bytes) -> bytes:
    """Return an absolute path without empty and `.` components.

    >>> normal(b"//srv/./data/")
    b'/srv/data'
    """
    return b"/" + b"/".join(one for one in path.split(b"/") if one not in (b"", b"."))
