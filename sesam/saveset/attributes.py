"""Extended attributes, POSIX ACLs and sparse maps as pax records, and back.

The keywords are those that GNU tar and star read: SCHILY.xattr.NAME with the raw value,
SCHILY.acl.access and SCHILY.acl.default as text, GNU.sparse 1.0 for holes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sesam.errors import Damaged
from sesam.saveset.tarhead import BLOCK, Records

_XATTR = b"SCHILY.xattr."
_ACLS = {
    "system.posix_acl_access": b"SCHILY.acl.access",
    "system.posix_acl_default": b"SCHILY.acl.default",
}
_AT_ONCE = 8192
_ACL_NAMES = {record: name for name, record in _ACLS.items()}


def attribute_records(
    xattrs: Mapping[str, bytes], acl_text: Callable[[bytes], str]
) -> Records:
    """Return the pax records for a file's attributes.

    acl_text -- turns the kernel's binary ACL into text
    """
    records: Records = []
    for name in sorted(xattrs):
        if name in _ACLS:
            records.append((_ACLS[name], acl_text(xattrs[name]).encode()))
        else:
            raw = name.encode("utf-8", "surrogateescape")
            # As GNU tar: the record's own `=` ends its keyword.
            raw = raw.replace(b"%", b"%25").replace(b"=", b"%3D")
            records.append((_XATTR + raw, xattrs[name]))
    return records


def attributes(
    records: Mapping[bytes, bytes], acl_binary: Callable[[str], bytes]
) -> dict[str, bytes]:
    """Return the attributes that pax records hold, ACLs in the kernel's form.

    acl_binary -- turns ACL text into it. Raises Damaged where the text is none.
    """
    found: dict[str, bytes] = {}
    for key, value in records.items():
        if key.startswith(_XATTR):
            raw = key[len(_XATTR) :].replace(b"%3D", b"=").replace(b"%25", b"%")
            found[raw.decode("utf-8", "surrogateescape")] = value
        elif key in _ACL_NAMES:
            try:
                found[_ACL_NAMES[key]] = acl_binary(value.decode())
            except ValueError as error:
                raise Damaged(f"an ACL in the tar cannot be read: {error}") from error
    return found


def sparse_records(name: bytes, size: int) -> Records:
    """Return the pax records of a sparse file, named and sized as it really is."""
    return [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", name),
        (b"GNU.sparse.realsize", b"%d" % size),
    ]


def sparse_name(name: bytes) -> bytes:
    """Return the name that a reader without knowledge of sparse files unpacks to."""
    directory, _, last = name.rpartition(b"/")
    inner = b"GNUSparseFile.0/" + last[:80]
    return directory + b"/" + inner if 0 < len(directory) < 100 else inner


def sparse_map(extents: Sequence[int], size: int) -> Iterator[bytes]:
    """Yield the map that precedes the data: numbers in decimal lines, whole blocks.

    extents -- offset and length of the data, one behind the other; a map of millions of
    them comes in pieces. As GNU tar writes it: a file that ends in a hole gets an empty
    extent at its end.
    """
    ends_in_hole = not extents or extents[-2] + extents[-1] < size
    text = b"%d\n" % (len(extents) // 2 + ends_in_hole)
    length = len(text)
    yield text
    for at in range(0, len(extents), _AT_ONCE):
        text = b"".join([b"%d\n" % number for number in extents[at : at + _AT_ONCE]])
        length += len(text)
        yield text
    text = b"%d\n0\n" % size if ends_in_hole else b""
    yield text + bytes(-(length + len(text)) % BLOCK)
