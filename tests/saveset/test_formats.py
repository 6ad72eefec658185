"""Fuzzed listing, manifest, seek table and stream: a clear error, and nothing else."""

import io
import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sink import Bytes, Sink
from trees import small_tree

from sesam.digest import hexdigest
from sesam.errors import Damaged, SesamError, SourceLost, UnknownFormat
from sesam.saveset import frames, listing, manifest, seektable, stream
from sesam.saveset.listing import Line
from sesam.saveset.listread import Reading
from sesam.saveset.manifest import Manifest
from sesam.saveset.reader import FramedBlob
from sesam.saveset.tarhead import member
from sesam.saveset.tarread import read_member
from sesam.terms import Level, Part, State

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
NOW = datetime(2027, 3, 28, tzinfo=UTC)
MANIFEST = Manifest(
    "SF20270328010000000@AAAAAAAAAAA", "site", "task", "client", Level.FULL, "",
    State.OK, date(2027, 3, 28), NOW, NOW, "d", ("age1x",), "DISK", 30, 1, 1, 0, 5, 0,
    0, (Part("data-0001.tar.zst", 5, "d" * 32),), "sesam",
)  # fmt: skip

paths = st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw)
lines = st.builds(
    Line,
    path=paths.map(lambda raw: b"/" + raw),
    kind=st.sampled_from("fdlpcb"),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 1 << 32),
    gid=st.integers(0, 1 << 32),
    user=st.text(max_size=8).filter(lambda one: "\0" not in one),
    group=st.just("gr\\oup\t"),
    size=st.integers(0, 1 << 62),
    mtime=st.integers(-(1 << 62), 1 << 62),
    ctime=st.integers(0, 1 << 62),
    device=st.integers(0, 1 << 62),
    inode=st.integers(0, 1 << 63),
    digest=st.sampled_from(["", "0" * 32]),
    flags=st.sampled_from(["", "m", "h", "mh"]),
    saveset=st.sampled_from(["", "-", "SF1"]),
    segment=st.integers(0, 9999),
    offset=st.integers(0, 1 << 62),
    target=st.one_of(st.just(b""), paths),
)


def flipped(raw: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[at % len(raw)] ^= 1 << bit
    return bytes(changed)


def refuses(work: Callable[[], object]) -> None:
    """Whatever comes in, only an error of ours may come out."""
    try:
        work()
    except SesamError as error:
        assert str(error)


@quick
@given(lines)
def test_a_line_of_the_listing_comes_back(line: Line) -> None:
    encoded = listing.encode(line)
    assert encoded.count(b"\n") == 1
    assert listing.decode(encoded[:-1]) == line


@quick
@given(st.binary(max_size=300))
def test_any_line_is_read_or_refused(raw: bytes) -> None:
    refuses(lambda: listing.decode(raw))
    refuses(lambda: list(Reading([raw]).objects()))


def a_listing(count: int = 3) -> bytes:
    line = Line(
        b"/a", "f", 0o644, 0, 0, "root", "root", 1, 1, 1, 1, 1, "", "", "", 1, 0
    )
    body = b"".join(listing.encode(line) for _ in range(count))
    return listing.head({"client": "c"}) + body + listing.end(count, 0)


def test_a_listing_that_ends_early_is_damaged() -> None:
    whole = a_listing()
    assert len(list(Reading([whole]).objects())) == 3
    for length in range(len(whole)):
        with pytest.raises(SesamError):
            list(Reading([whole[:length]]).objects())
    with pytest.raises(Damaged):
        list(Reading([whole + b"/b\n"]).objects())


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    def endless() -> object:
        return list(Reading([listing.head({}), *[b"x" * (1 << 20)] * 20]).raw())

    with pytest.raises(Damaged, match="no end"):
        endless()


def test_the_manifest_comes_back() -> None:
    assert manifest.decode(manifest.encode(MANIFEST)) == MANIFEST


def test_every_flipped_bit_of_a_manifest_is_found() -> None:
    whole = manifest.encode(MANIFEST)
    for at in range(len(whole)):
        for bit in range(8):
            with pytest.raises(SesamError):
                manifest.decode(flipped(whole, at, bit))
        with pytest.raises(SesamError):
            manifest.decode(whole[:at])


@quick
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from([*json.loads(manifest.encode(MANIFEST).rpartition(b"\n")[0].rpartition(b"\n")[0])]),
)  # fmt: skip
def test_a_manifest_with_any_value_anywhere_is_read_or_refused(
    value: object, key: str
) -> None:
    text = manifest.encode(MANIFEST).rpartition(b"\n")[0].rpartition(b"\n")[0]
    facts = {**json.loads(text), key: value}
    changed = json.dumps(facts, indent=1).encode() + b"\n"
    refuses(lambda: manifest.decode(changed + hexdigest(changed).encode() + b"\n"))


def test_a_manifest_of_a_later_format_names_its_format() -> None:
    text = manifest.encode(MANIFEST).rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n"
    later = text.replace(b'"format": 1', b'"format": 7')
    with pytest.raises(UnknownFormat, match="7"):
        manifest.decode(later + hexdigest(later).encode() + b"\n")


words = st.integers(0, (1 << 32) - 1)


def framed(count: int = 4, size: int = 3000) -> bytes:
    rng = random.Random(9)
    plain = [rng.randbytes(size // 2) + bytes(size // 2) for _ in range(count)]
    stored = [frames.compress(one, 3) for one in plain]
    sizes = [(len(one), size) for one in stored]
    return b"".join(stored) + seektable.encode(sizes)


def read_all(raw: bytes) -> bytes:
    blob = FramedBlob(Bytes(raw), "it")
    try:
        return b"".join(blob.chunks(0, blob.size))
    finally:
        blob.close()


def test_every_flipped_bit_of_a_framed_part_is_found_or_harmless() -> None:
    whole = framed()
    right = read_all(whole)
    harmless = 0
    for at in range(len(whole)):
        try:
            assert read_all(flipped(whole, at, at % 8)) == right
            harmless += 1
        except SesamError:
            continue
    # What a skippable frame's number says, for instance, is nobody's business.
    assert harmless < 20


@quick
@given(st.binary(max_size=200))
def test_any_bytes_are_no_part_or_read(raw: bytes) -> None:
    refuses(lambda: read_all(raw))
    refuses(lambda: read_all(raw + framed(1, 100)[-17:]))


@quick
@given(st.lists(st.tuples(words, words), max_size=6))
def test_a_seek_table_that_lies_does_no_harm(sizes: list[tuple[int, int]]) -> None:
    body = framed(2, 200)
    stored = body[: -len(seektable.encode([(0, 0)] * 2))]
    refuses(lambda: read_all(stored + seektable.encode(sizes)))


def test_a_part_reads_the_same_at_any_place() -> None:
    whole = framed(5, 1000)
    right = read_all(whole)
    blob = FramedBlob(Bytes(whole), "it")
    rng = random.Random(4)
    for _ in range(300):
        at, length = rng.randrange(len(right)), rng.randrange(2500)
        assert blob.read_at(at, length) == right[at : at + length]
    blob.close()


names = st.binary(min_size=1, max_size=300).filter(
    lambda raw: b"\0" not in raw and not raw.startswith(b"/")
)


@quick
@given(
    name=names,
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 1 << 32),
    size=st.integers(0, 1 << 50),
    mtime=st.integers(-(1 << 61), 1 << 61),
    link=st.one_of(st.just(b""), names),
    value=st.binary(max_size=100),
)
def test_a_header_comes_back(
    name: bytes, mode: int, uid: int, size: int, mtime: int, link: bytes, value: bytes
) -> None:
    owner = uid, uid, b"us\xffer", b"g"
    more = [(b"SCHILY.xattr.user.x", value)]
    raw = member(name, ord("0"), mode, owner, size, mtime, link, more=more)
    assert len(raw) % 512 == 0
    found = read_member(lambda at, length: raw[at : at + length], 0)
    assert found is not None
    assert (found.name, found.mode, found.uid, found.size) == (name, mode, uid, size)
    assert (found.mtime_ns, found.link) == (mtime, link)
    assert found.more[b"SCHILY.xattr.user.x"] == value


@quick
@given(st.binary(max_size=2000), st.integers(0, 5000), st.integers(0, 7))
def test_any_headers_are_read_or_refused(raw: bytes, at: int, bit: int) -> None:
    refuses(lambda: read_member(lambda a, n: raw[a : a + n], 0))
    head = member(
        b"x" * 200, ord("0"), 0o644, (1, 1, b"", b""), 9, 7, more=[(b"a", raw)]
    )
    changed = flipped(head, at, bit)
    refuses(lambda: read_member(lambda a, n: changed[a : a + n], 0))


def sent() -> bytes:
    pipe = io.BytesIO()
    writer = stream.StreamWriter(pipe)
    writer.start({"source": {}, "digest": "d"})
    writer.begin_part("data-0001.tar.zst")
    writer.data(b"some bytes")
    writer.warning(b"/\xff", "why")
    writer.tally(1, 10)
    writer.index(b"clear")
    writer.end({"state": "ok"})
    return pipe.getvalue()


def test_a_stream_comes_through() -> None:
    sink = Sink()
    stream.replay(io.BytesIO(sent()), sink)
    assert sink.parts == {"data-0001.tar.zst": b"some bytes"}
    assert sink.warnings == [(b"/\xff", "why")]
    assert sink.indexed == b"clear"
    assert sink.totals == {"state": "ok"}


def test_a_stream_that_ends_early_never_has_an_end() -> None:
    whole = sent()
    for length in range(len(whole)):
        sink = Sink()
        with pytest.raises((SourceLost, UnknownFormat)):
            stream.replay(io.BytesIO(whole[:length]), sink)
        assert not sink.totals


def test_a_changed_byte_of_the_data_is_found() -> None:
    whole = sent().replace(b"some bytes", b"sOme bytes")
    with pytest.raises(UnknownFormat, match="digest"):
        stream.replay(io.BytesIO(whole), Sink())


@quick
@given(st.binary(max_size=200), st.integers(0, 5000), st.integers(0, 7))
def test_any_stream_is_taken_or_refused(raw: bytes, at: int, bit: int) -> None:
    refuses(lambda: stream.replay(io.BytesIO(raw), Sink()))
    refuses(lambda: stream.replay(io.BytesIO(flipped(sent(), at, bit)), Sink()))


@pytest.mark.parametrize("other", ["tar", "zip", "empty", "zstd"])
def test_savesets_of_other_tools_are_refused(tmp_path: Path, other: str) -> None:
    import tarfile
    import zipfile

    source = small_tree(tmp_path / "s", files=3)
    path = tmp_path / "other"
    if other == "tar":
        with tarfile.open(path, "w") as tar:
            tar.add(source)
    elif other == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(source / "dir0/file0")
    elif other == "zstd":
        path.write_bytes(frames.compress(b"no seek table" * 99, 3))
    else:
        path.write_bytes(b"")
    raw = path.read_bytes()
    with pytest.raises(UnknownFormat):
        read_all(raw)
    with pytest.raises(UnknownFormat):
        manifest.decode(raw)
