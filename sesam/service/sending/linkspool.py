"""Hard-linked objects by (device, inode) in a temporary file, a table in memory.

Records are appended to the file; a table with open addressing says where: each slot
holds 16 bits of the key's hash and the record's offset, so that a wrong record is read
once in 65,536 times. A record whose names have all been met stays, and counts 0.
"""

from array import array
from struct import Struct
from typing import Any

from sesam.spool import Spool

# device, inode, length of the name; names left, ctime, mtime, size, segment, offset,
# digest; then the name
_HEAD = Struct("<QQIIqqqIq32s")
_LEFT = Struct("<I")
_LEFT_AT = 20
_READ_BYTES = _HEAD.size + 200
_OFFSET_BITS = 48
_OFFSETS = (1 << _OFFSET_BITS) - 1
_MASK = (1 << 64) - 1
_FIRST_SLOTS = 1 << 14


class LinkSpool:
    """Takes and finds the fields of a links.Group. Raises ClientError: no room."""

    def __init__(self, slots: int = _FIRST_SLOTS) -> None:
        self._records = Spool()
        self._slots = array("Q", bytes(8 * slots))
        self._count = 0

    def add(self, device: int, inode: int, left: int, *group: Any) -> None:
        """Remember an object; what was remembered of it before must be forgotten."""
        *numbers, digest, name = group
        if 2 * self._count >= len(self._slots):
            self._grow()
        head = _HEAD.pack(device, inode, len(name), left, *numbers, digest)
        self._insert(_hash(device, inode), self._records.add(head + name))

    def meet(self, device: int, inode: int) -> tuple[Any, ...] | None:
        """Return the fields of an object, None where it is not known; count a name."""
        known = self._find(device, inode)
        if known is None:
            return None
        at, fields, found = known
        end = _HEAD.size + fields[2]
        name = found[_HEAD.size : end]
        if end > len(found):
            name += self._records.read_at(at + len(found), end - len(found))
        self._records.put(at + _LEFT_AT, _LEFT.pack(fields[3] - 1))
        return *fields[3:-1], fields[-1].rstrip(b"\0"), name

    def forget(self, device: int, inode: int) -> None:
        """The object is known no more."""
        known = self._find(device, inode)
        if known is not None:
            self._records.put(known[0] + _LEFT_AT, _LEFT.pack(0))

    def close(self) -> None:
        """Give the file back."""
        self._records.close()

    def _find(
        self, device: int, inode: int
    ) -> tuple[int, tuple[Any, ...], bytes] | None:
        """Return offset, head and beginning of an object's record, None without one."""
        slots, last = self._slots, len(self._slots) - 1
        hashed = _hash(device, inode)
        slot, tag = hashed & last, hashed >> _OFFSET_BITS
        while value := slots[slot]:
            if value >> _OFFSET_BITS == tag:
                at = (value & _OFFSETS) - 1
                found = self._records.read_at(at, _READ_BYTES)
                fields = _HEAD.unpack_from(found)
                if fields[0] == device and fields[1] == inode and fields[3]:
                    return at, fields, found
            slot = (slot + 1) & last
        return None

    def _insert(self, hashed: int, at: int) -> None:
        slots, last = self._slots, len(self._slots) - 1
        slot = hashed & last
        while slots[slot]:
            slot = (slot + 1) & last
        slots[slot] = hashed >> _OFFSET_BITS << _OFFSET_BITS | at + 1
        self._count += 1

    def _grow(self) -> None:
        """Make the table twice as large, without what all names have been met of."""
        self._slots = array("Q", bytes(16 * len(self._slots)))
        self._count = at = 0
        while at < self._records.size:
            fields = _HEAD.unpack(self._records.read_at(at, _HEAD.size))
            if fields[3]:
                self._insert(_hash(*fields[:2]), at)
            at += _HEAD.size + fields[2]


def _hash(device: int, inode: int) -> int:
    mixed = (inode * 0x9E3779B97F4A7C15 ^ device * 0xC2B2AE3D27D4EB4F) & _MASK
    mixed ^= mixed >> 29
    return mixed * 0xBF58476D1CE4E5B9 & _MASK
