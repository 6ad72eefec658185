"""From a line of the listing to the object that its member of the tar is."""

from collections.abc import Iterator
from functools import partial

from sesam.client.acl import acl_binary
from sesam.client.objects import TreeObject
from sesam.digest import Digest, hexdigest
from sesam.errors import Damaged
from sesam.saveset import tarhead
from sesam.saveset.attributes import attributes
from sesam.saveset.listing import Line
from sesam.saveset.tarquick import HEAD_BYTES, Common, common
from sesam.saveset.tarread import Member
from sesam.service.fetching.shelf import Shelf
from sesam.service.fetching.tarbytes import TarBytes
from sesam.terms import Kind

_KINDS = {
    tarhead.FILE: Kind.FILE,
    tarhead.DIRECTORY: Kind.DIRECTORY,
    tarhead.SYMLINK: Kind.SYMLINK,
    tarhead.FIFO: Kind.FIFO,
    tarhead.CHARACTER: Kind.CHARACTER,
    tarhead.BLOCKDEV: Kind.BLOCK,
}
_LETTERS = {kind.value: kind for kind in _KINDS.values()}
# What chown takes for "leave it as it is", and what fits the numbers of a device.
_NO_ID = 0xFFFFFFFF
_MAJOR_LIMIT, _MINOR_LIMIT = 0xFFF, 0xFFFFF
_SIZE_LIMIT = (1 << 63) - 1


class Members:
    """Reads the members that lines point to, whichever savesets hold them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        # Those of the segment that was read last: most lines point to the same one.
        self._tar = TarBytes(partial(shelf.segment, ""), 1)
        self._of = "", 1

    def read(self, line: Line) -> tuple[TreeObject, Iterator[bytes]]:
        """Return the object of a line and its content; of a sparse file its data.

        The path is the line's: a member bears the first name of a hard-linked object.
        Raises Damaged; so does the content where its digest is not the line's.
        """
        if (line.saveset, line.segment) != self._of:
            self._of = line.saveset, line.segment
            opened = partial(self._shelf.segment, line.saveset)
            self._tar = TarBytes(opened, line.segment)
        tar = self._tar
        found = common(tar.peek(line.offset, HEAD_BYTES))
        if found is not None:
            return _of_common(line, found), _plain(tar, found, line)
        return self._uncommon(line, tar)

    def _uncommon(
        self, line: Line, tar: TarBytes
    ) -> tuple[TreeObject, Iterator[bytes]]:
        member = tar.member(line.offset)
        if member is None:
            raise Damaged("the tar ends before it")
        kind = _kind(line, member.typeflag, member.name)
        _check(member)
        obj = TreeObject(
            path=line.path.strip(b"/"),
            kind=kind,
            mode=member.mode & 0o7777,
            uid=member.uid,
            gid=member.gid,
            user=member.user.decode("utf-8", "surrogateescape"),
            group=member.group.decode("utf-8", "surrogateescape"),
            size=member.real_size,
            mtime_ns=member.mtime_ns,
            device=member.device,
            target=member.link,
            xattrs=attributes(member.more, acl_binary),
            extents=member.extents,
            digest=line.digest,
        )
        return obj, _content(tar, member, line)


def _kind(line: Line, typeflag: int, name: bytes) -> Kind:
    """Return the kind of a member; name -- its path, or the end of that.

    Raises Damaged where it is not the line's: bytes have been shifted.
    """
    kind = _KINDS.get(typeflag)
    # A member bears the first name of an object of several names, the root none.
    named = line.path.endswith(name.rstrip(b"/")) or "h" in line.flags
    if kind is None or kind.value != line.kind or not (named or line.path == b"/"):
        raise Damaged("the tar holds something else at its place")
    return kind


def _of_common(line: Line, found: Common) -> TreeObject:
    kind = _kind(line, found.typeflag, found.name)
    return TreeObject(
        line.path.strip(b"/"),
        kind,
        found.mode,
        found.uid,
        found.gid,
        found.user,
        found.group,
        found.size,
        found.mtime_ns,
        found.device,
        found.link,
        digest=line.digest,
    )


def described(line: Line) -> TreeObject:
    """Return what the line alone says of an object: no attributes, no device.

    Raises Damaged.
    """
    kind = _LETTERS.get(line.kind)
    if kind is None:
        raise Damaged(f'"{line.kind}" is no kind of object')
    return TreeObject(
        path=line.path.strip(b"/"),
        kind=kind,
        mode=line.mode,
        uid=line.uid,
        gid=line.gid,
        user=line.user,
        group=line.group,
        size=line.size,
        mtime_ns=line.mtime,
        target=line.target,
        digest=line.digest,
    )


def _check(member: Member) -> None:
    """Refuse numbers and names that no system has. Raises Damaged."""
    major, minor = member.device
    if not (
        0 <= member.uid < _NO_ID
        and 0 <= member.gid < _NO_ID
        and 0 <= major <= _MAJOR_LIMIT
        and 0 <= minor <= _MINOR_LIMIT
        and 0 <= member.size <= _SIZE_LIMIT
        and 0 <= member.real_size <= _SIZE_LIMIT
    ):
        raise Damaged("the tar holds a number that is out of range")
    if b"\0" in member.link or any(b"\0" in key for key in member.more):
        raise Damaged("the tar holds a name that cannot be one")


def _content(tar: TarBytes, member: Member, line: Line) -> Iterator[bytes]:
    """Yield the content; what was changed raises Damaged before its end is taken."""
    digest = Digest()
    begin = member.content + member.map_size
    for chunk in tar.chunks(member.content, begin):
        digest.update(chunk)
    for chunk in tar.chunks(begin, member.content + member.size):
        digest.update(chunk)
        yield chunk
    if line.digest and digest.hexdigest() != line.digest:
        raise Damaged("its content was changed")


def _plain(tar: TarBytes, found: Common, line: Line) -> Iterator[bytes]:
    """Yield the content of a common member: mostly it is one slice of one frame."""
    size, begin = found.size, line.offset + found.length
    if size:
        chunk = tar.peek(begin, size)
        if len(chunk) == size:
            if line.digest and hexdigest(chunk) != line.digest:
                raise Damaged("its content was changed")
            yield chunk
            return
    digest = Digest()
    for chunk in tar.chunks(begin, begin + size):
        digest.update(chunk)
        yield chunk
    if line.digest and digest.hexdigest() != line.digest:
        raise Damaged("its content was changed")
