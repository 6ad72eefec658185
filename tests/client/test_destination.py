"""The way back never leads out of the target, whatever the objects are called."""

import contextlib
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from way import Way, obj

from sesam.client.destination import Destination
from sesam.client.making import part_name
from sesam.client.objects import Existing, Outcome
from sesam.digest import hexdigest
from sesam.errors import Damaged
from sesam.terms import Kind


@pytest.mark.parametrize(
    "path",
    [
        b"../canary/file", b"a/../../canary/file", b"..", b".", b"a//b", b"/etc/x",
        b"a/./b", b"a\0b", b"a/", b"../canary",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.FIFO])
def test_a_name_that_leads_outside_is_refused_and_reported(
    tmp_path: Path, path: bytes, kind: Kind
) -> None:
    way = Way(tmp_path)
    assert way.place(obj(path, kind, target=b"x")) is Outcome.FAILED
    assert way.reports[0][0] == path
    way.end()
    assert list(way.target.rglob("*")) == []


@pytest.mark.parametrize("existing", list(Existing))
def test_a_symlink_that_the_saveset_planted_is_never_followed(
    tmp_path: Path, existing: Existing
) -> None:
    way = Way(tmp_path, existing)
    link = obj(b"out", Kind.SYMLINK, target=os.fsencode(tmp_path / "canary"))
    assert way.place(link) is Outcome.WRITTEN
    assert way.place(obj(b"out/file")) is Outcome.FAILED
    assert way.place(obj(b"out/new")) is Outcome.FAILED
    assert way.place(obj(b"out/dir", Kind.DIRECTORY, mode=0o777)) is Outcome.FAILED
    assert "no directory" in way.reports[0][1]
    way.end()


@pytest.mark.parametrize("existing", list(Existing))
def test_a_symlink_that_stood_in_the_target_is_never_followed(
    tmp_path: Path, existing: Existing
) -> None:
    way = Way(tmp_path, existing)
    os.symlink(tmp_path / "canary", way.target / "dir")
    os.symlink(tmp_path / "canary/file", way.target / "file")
    way.place(obj(b"dir", Kind.DIRECTORY, mode=0o700))
    way.place(obj(b"dir/file"))
    way.place(obj(b"file"))
    way.end()


def test_a_link_to_what_lies_outside_is_not_made(tmp_path: Path) -> None:
    way = Way(tmp_path)
    os.symlink(tmp_path / "canary", way.target / "out")
    one = obj(b"mine", mtime_ns=os.stat(way.canary / "file").st_mtime_ns, size=9)
    way.link(one, b"out/file", b"evil")
    way.end()
    assert os.stat(way.canary / "file").st_nlink == 1


def test_duplicate_members_leave_the_last_one_or_the_first(tmp_path: Path) -> None:
    for existing, content in (
        (Existing.OVERWRITE, b"newer"),
        (Existing.KEEP, b"older"),
    ):
        way = Way(tmp_path / existing.value, existing)
        way.place(obj(b"same", size=5), b"older")
        way.place(obj(b"same", size=5, mtime_ns=9), b"newer")
        way.end()
        assert (way.target / "same").read_bytes() == content


@pytest.fixture(autouse=True)
def _tops(tmp_path: Path) -> None:
    for existing in Existing:
        (tmp_path / existing.value).mkdir()


@pytest.mark.parametrize("standing", ["file", "link", "dir", "full", "fifo", "none"])
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.FIFO])
@pytest.mark.parametrize("existing", list(Existing))
def test_every_kind_over_every_other_ends_as_asked(
    tmp_path: Path, existing: Existing, kind: Kind, standing: str
) -> None:
    way = Way(tmp_path, existing)
    at = way.target / "it"
    _stand(at, standing)
    before = _kind_of(at)
    outcome = way.place(obj(b"it", kind, target=b"elsewhere", size=4))
    way.end()
    after = _kind_of(at)
    if standing == "none":
        assert outcome is Outcome.WRITTEN
        assert after == kind.value
    elif existing is Existing.KEEP:
        assert outcome in (Outcome.KEPT, Outcome.SAME)
        assert after == before
    elif (
        standing == "full"
        and kind is not Kind.DIRECTORY
        and (existing is not Existing.RENAME)
    ):
        assert outcome in (Outcome.FAILED, Outcome.KEPT)
        assert after == before
    elif existing in (Existing.OVERWRITE, Existing.RENAME):
        assert after == kind.value
    if standing == "full":
        found = [p for p in way.target.rglob("precious") if p.read_text() == "mine"]
        assert len(found) == 1
    assert not list(way.target.glob(".sesam-part-*"))


def _stand(at: Path, standing: str) -> None:
    if standing == "file":
        at.write_text("mine")
    elif standing == "link":
        at.symlink_to("nowhere")
    elif standing in ("dir", "full"):
        at.mkdir()
        if standing == "full":
            (at / "precious").write_text("mine")
    elif standing == "fifo":
        os.mkfifo(at)


def _kind_of(at: Path) -> str:
    if not os.path.lexists(at):
        return ""
    mode = at.lstat().st_mode
    kinds = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p"}
    return kinds[stat.S_IFMT(mode)]


def test_what_differs_in_content_alone_is_overwritten(tmp_path: Path) -> None:
    way = Way(tmp_path)
    (way.target / "it").write_bytes(b"flip")
    os.utime(way.target / "it", ns=(5_000000005, 5_000000005))
    from sesam.digest import hexdigest

    assert way.place(obj(b"it", digest=hexdigest(b"evil"))) is Outcome.WRITTEN
    assert way.place(obj(b"it", digest=hexdigest(b"evil"))) is Outcome.SAME
    way.end()
    assert (way.target / "it").read_bytes() == b"evil"


names = st.binary(min_size=1, max_size=40).filter(
    lambda raw: b"/" not in raw and b"\0" not in raw and raw not in (b".", b"..")
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.lists(names, min_size=1, max_size=4), content=st.binary(max_size=50))
def test_any_name_comes_back_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, path: list[bytes], content: bytes
) -> None:
    way = Way(tmp_path_factory.mktemp("any"))
    joined = b"/".join(path)
    assert way.place(obj(joined, size=len(content)), content) is Outcome.WRITTEN
    way.end()
    found = os.path.join(os.fsencode(way.target), joined)
    with open(found, "rb") as file:
        assert file.read() == content
    assert os.stat(found).st_mtime_ns == 5_000000005


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_without_root_the_rest_is_done_and_said(tmp_path: Path) -> None:
    """As nobody: no foreign owner, no device, no setuid for somebody else."""
    for parent in (tmp_path, *tmp_path.parents):
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    target = tmp_path / "by-nobody"
    target.mkdir()
    os.chown(target, 65534, 65534)
    told = as_nobody(lambda: restore_a_little(target))
    assert "its owner cannot be set without being root" in told
    assert "cannot be restored" in told
    one = os.stat(target / "suid")
    assert (one.st_uid, stat.S_IMODE(one.st_mode)) == (65534, 0o755)
    assert one.st_mtime_ns == 5
    assert (target / "d/inner").read_bytes() == b"body"
    assert stat.S_IMODE(os.stat(target / "d").st_mode) == 0o555
    assert sorted(os.listdir(target)) == ["d", "suid"]


def restore_a_little(target: Path) -> list[str]:
    told: list[str] = []
    way = Destination(
        os.fsencode(target),
        existing=Existing.KEEP,
        numeric=False,
        report=lambda path, why: told.append(why),
    )
    foreign = {"uid": 0, "gid": 0, "user": "root", "group": "root", "mtime_ns": 5}
    way.place(obj(b"suid", mode=0o4755, **foreign), [b"body"])
    way.place(obj(b"null", Kind.CHARACTER, device=(1, 3), **foreign), [])
    way.place(obj(b"d", Kind.DIRECTORY, mode=0o555, **foreign), [])
    way.place(obj(b"d/inner", mode=0o600, **foreign), [b"body"])
    way.close()
    return told


def as_nobody(work: Callable[[], list[str]]) -> str:
    """Run in a child that has given up being root; return what it says."""
    near, far = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(near)
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            os.write(far, "\n".join(work()).encode())
        finally:
            os._exit(0)
    os.close(far)
    with open(near) as told:
        text = told.read()
    os.waitpid(pid, 0)
    return text


def test_an_object_with_the_name_of_an_unfinished_one_is_left_out_and_reported(
    tmp_path: Path,
) -> None:
    way = Way(tmp_path)
    name = part_name(b"file")
    assert way.place(obj(name)) is Outcome.FAILED
    assert way.place(obj(b"file")) is Outcome.WRITTEN
    assert [path for path, _ in way.reports] == [name]
    way.end()


def test_overwrite_dresses_anew_what_has_the_same_content(tmp_path: Path) -> None:
    way = Way(tmp_path)
    one = obj(b"file", digest=hexdigest(b"evil"), xattrs={"user.a": b"1"})
    assert way.place(one) is Outcome.WRITTEN
    assert way.place(one) is Outcome.SAME
    path = way.target / "file"
    for change in (
        lambda: path.chmod(0o600),
        lambda: os.setxattr(path, "user.a", b"2"),
        lambda: os.setxattr(path, "user.b", b""),
    ):
        change()
        assert way.place(one) is Outcome.WRITTEN
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert os.listxattr(path) == ["user.a"]
        assert os.getxattr(path, "user.a") == b"1"
    way.end()


@pytest.mark.parametrize("extents", [None, [(0, 4)]])
@pytest.mark.parametrize("content", [b"evi", b"evil!"])
def test_content_of_another_length_is_damage(
    tmp_path: Path, content: bytes, extents: list[tuple[int, int]] | None
) -> None:
    way = Way(tmp_path)
    with pytest.raises(Damaged):
        way.place(obj(b"file", extents=extents), content)
    way.end()
    assert list(way.target.iterdir()) == []


@pytest.mark.parametrize(
    "more",
    [
        {"uid": 1 << 40}, {"gid": -7}, {"user": "a\0b", "uid": 1 << 33},
        {"kind": Kind.CHARACTER, "device": (1 << 40, 0)},
        {"kind": Kind.BLOCK, "device": (-5, 3)},
        {"kind": Kind.SYMLINK, "target": b"a\0b"},
        {"kind": Kind.DIRECTORY, "uid": 1 << 40},
        {"xattrs": {"user.a\0b": b"1"}},
        {"extents": [(1 << 63, 4)]}, {"extents": [(0, 4)], "size": 1 << 63},
    ],
)  # fmt: skip
def test_numbers_and_names_that_no_system_has_are_reported(
    tmp_path: Path, more: dict[str, object]
) -> None:
    way = Way(tmp_path)
    way.place(obj(b"it", **{"kind": Kind.FILE, **more}))  # type: ignore[arg-type]
    assert way.place(obj(b"next")) is Outcome.WRITTEN
    way.end()
    assert b"it" in [path for path, _ in way.reports]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")
def test_a_hard_link_into_another_file_system_becomes_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    way = Way(tmp_path)
    (way.target / "m").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", way.target / "m"], check=True)
    try:
        assert way.place(obj(b"a")) is Outcome.WRITTEN
        assert way.link(obj(b"m/b"), b"a") is Outcome.WRITTEN
        assert way.link(obj(b"m/c"), b"m/b") is Outcome.LINKED
        assert way.link(obj(b"n"), b"a") is Outcome.LINKED
        way.end()
        assert (way.target / "m/b").read_bytes() == b"evil"
        assert way.reports == []
    finally:
        subprocess.run(["umount", "-l", way.target / "m"], check=True)


def test_a_file_that_can_have_no_more_names_begins_anew(tmp_path: Path) -> None:
    way = Way(tmp_path)
    way.place(obj(b"a"))
    (tmp_path / "others").mkdir()
    with contextlib.suppress(OSError):
        for number in range(70_000):
            os.link(way.target / "a", tmp_path / f"others/{number}")
    if os.stat(way.target / "a").st_nlink < 70_000:
        assert way.link(obj(b"b"), b"a") is Outcome.WRITTEN
        assert way.link(obj(b"c"), b"b") is Outcome.LINKED
    way.end()
    assert way.reports == []
