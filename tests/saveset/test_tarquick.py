"""What is read at once is what the careful reader reads."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sesam.errors import Damaged
from sesam.saveset import tarhead
from sesam.saveset.tarquick import common
from sesam.saveset.tarread import read_member

HEADS = [
    tarhead.member(b"dir/file", kind, 0o644, (0, 5, b"root", b"users"), size, ns, link)
    for kind in (tarhead.FILE, tarhead.DIRECTORY, tarhead.SYMLINK, tarhead.LINK)
    for size in (0, 4711)
    for ns in (1_700_000_000_123456789, 1_700_000_000_000000000, 5)
    for link in (b"", b"there")
]


def agrees(raw: bytes) -> bool:
    """Whether both read it alike; True where it was read at once."""
    found = common(raw)
    if found is None:
        return False
    member = read_member(lambda at, size: raw[at : at + size], 0)
    assert member is not None
    link = member.link if found.typeflag == tarhead.SYMLINK else b""
    assert found == (
        member.content, member.typeflag, found.size, member.mtime_ns, member.mode,
        member.uid, member.gid, member.user.decode("utf-8", "surrogateescape"),
        member.group.decode("utf-8", "surrogateescape"), member.device, link,
        found.name,
    )  # fmt: skip
    assert member.name.endswith(found.name)
    assert member.size == (0 if found.typeflag == tarhead.LINK else found.size)
    return True


def test_what_this_program_writes_for_plain_files_is_read_at_once() -> None:
    # A time before 2001 has another record, and is read with care.
    assert sum(agrees(head) for head in HEADS) == len(HEADS) * 2 // 3


def test_what_is_cut_off_is_not_read_at_once() -> None:
    for head in HEADS:
        for length in range(0, len(head), 7):
            agrees(head[:length])


places = st.tuples(st.integers(0, 1535), st.integers(0, 255))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(HEADS), st.lists(places, min_size=1, max_size=4), st.booleans())
def test_what_is_changed_is_read_alike_or_not_at_once(
    head: bytes, changes: list[tuple[int, int]], mended: bool
) -> None:
    raw = bytearray(head)
    for at, value in changes:
        raw[at % len(raw)] = value
    if mended:  # the checksum of the last block
        block = raw[-512:]
        block[148:156] = b" " * 8
        raw[-364:-356] = b"%06o\0 " % sum(block)
    try:
        agrees(bytes(raw))
    except Damaged as error:
        # Read at once, refused by the other: only what nobody looks at may differ.
        raise AssertionError(error) from error
