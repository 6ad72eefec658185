"""From a line of the listing to the object that its member of the tar is."""

from collections.abc import Iterator

from sesam.client.acl import acl_binary
from sesam.client.objects import TreeObject
from sesam.digest import Digest
from sesam.errors import Damaged
from sesam.saveset import tarhead
from sesam.saveset.attributes import attributes
from sesam.saveset.listing import Line
from sesam.saveset.reader import FramedBlob
from sesam.saveset.tarread import Member, read_member
from sesam.service.fetching.shelf import Shelf
from sesam.terms import Kind

_KINDS = {
    tarhead.FILE: Kind.FILE,
    tarhead.DIRECTORY: Kind.DIRECTORY,
    tarhead.SYMLINK: Kind.SYMLINK,
    tarhead.FIFO: Kind.FIFO,
    tarhead.CHARACTER: Kind.CHARACTER,
    tarhead.BLOCKDEV: Kind.BLOCK,
}


class Members:
    """Reads the members that lines point to, whichever savesets hold them."""

    def __init__(self, shelf: Shelf) -> None:
        self._segment = shelf.segment

    def read(self, line: Line) -> tuple[TreeObject, Iterator[bytes]]:
        """Return the object of a line and its content; of a sparse file its data.

        The path is the line's: a member bears the first name of a hard-linked object.
        Raises Damaged; so does the content where its digest is not the line's.
        """
        segment = self._segment(line.saveset, line.segment)
        member = read_member(segment.read_at, line.offset)
        if member is None:
            raise Damaged("the tar ends before it")
        kind = _KINDS.get(member.typeflag)
        if kind is None or kind.value != line.kind:
            raise Damaged("the tar holds something else at its place")
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
        return obj, _content(segment, member, line)


def _content(segment: FramedBlob, member: Member, line: Line) -> Iterator[bytes]:
    """Yield the content; what was changed raises Damaged before its end is taken."""
    digest = Digest()
    begin = member.content + member.map_size
    if member.map_size:
        digest.update(segment.read_at(member.content, member.map_size))
    for chunk in segment.chunks(begin, member.content + member.size):
        digest.update(chunk)
        yield chunk
    if line.digest and digest.hexdigest() != line.digest:
        raise Damaged("its content was changed")
