"""POSIX ACLs: the kernel's bytes to the text that tars hold, and back.

Kernel form: version 2 as u32, then entries of tag u16, permissions u16, id u32, all
little-endian (linux/posix_acl_xattr.h). Text form: entries parted by commas, each
`tag:who:rwx`, as acl_to_any_text(3) writes them; ids are numbers.
"""

import grp
import pwd
import struct

_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_NO_ID = 0xFFFFFFFF
_TAGS = {
    0x01: "user",
    0x02: "user",
    0x04: "group",
    0x08: "group",
    0x10: "mask",
    0x20: "other",
}
_NAMED = {"user": 0x02, "group": 0x08}
_PLAIN = {"user": 0x01, "group": 0x04, "mask": 0x10, "other": 0x20}
_SHORT = {"u": "user", "g": "group", "m": "mask", "o": "other"}
_BITS = {"r": 4, "w": 2, "x": 1, "-": 0}


def acl_text(value: bytes) -> str:
    """Return the text of an ACL in the kernel's form. Raises ValueError.

    >>> acl_text(_VERSION + _ENTRY.pack(1, 6, _NO_ID) + _ENTRY.pack(2, 4, 1000))
    'user::rw-,user:1000:r--'
    """
    if value[:4] != _VERSION or (len(value) - 4) % _ENTRY.size:
        raise ValueError("an ACL of unknown form")
    entries = []
    for tag, bits, who in _ENTRY.iter_unpack(value[4:]):
        if tag not in _TAGS or bits > 7:
            raise ValueError("an ACL of unknown form")
        name = str(who) if tag in _NAMED.values() else ""
        rights = "".join(c if bits & _BITS[c] else "-" for c in "rwx")
        entries.append(f"{_TAGS[tag]}:{name}:{rights}")
    return ",".join(entries)


def acl_binary(text: str) -> bytes:
    """Return the kernel's form of an ACL in text. Raises ValueError.

    Reads what star and GNU tar write too: newlines, short tags, `#` comments, names,
    and a fourth field with the number of a name.
    """
    entries = []
    for line in text.replace(",", "\n").split("\n"):
        fields = line.partition("#")[0].strip().split(":")
        if fields == [""]:
            continue
        entries.append(_entry(fields))
    entries.sort(key=lambda entry: (entry[0], entry[2]))
    return _VERSION + b"".join(_ENTRY.pack(*entry) for entry in entries)


def _entry(fields: list[str]) -> tuple[int, int, int]:
    tag = _SHORT.get(fields[0], fields[0])
    if tag in ("mask", "other") and len(fields) == 2:
        fields = [tag, "", fields[1]]
    if tag not in _PLAIN or len(fields) not in (3, 4):
        raise ValueError(f'"{":".join(fields)}" is no entry of an ACL')
    who = fields[3] if len(fields) == 4 else fields[1]
    rights = fields[2].strip()
    if not rights or len(rights) > 3 or any(c not in _BITS for c in rights):
        raise ValueError(f'"{rights}" are no rights of an ACL')
    bits = 0
    for c in rights:
        bits |= _BITS[c]
    if not fields[1]:
        return _PLAIN[tag], bits, _NO_ID
    if tag not in _NAMED:
        raise ValueError(f'"{tag}" of an ACL takes no name')
    return _NAMED[tag], bits, _number(tag, who)


def _number(tag: str, who: str) -> int:
    if who.isdecimal():
        number = int(who)
        if number >= _NO_ID:
            raise ValueError(f"{who} is no id")
        return number
    try:
        return pwd.getpwnam(who).pw_uid if tag == "user" else grp.getgrnam(who).gr_gid
    except KeyError as error:
        raise ValueError(f'this machine knows no {tag} "{who}"') from error
