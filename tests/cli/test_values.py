"""What is typed: bytes that are no text, numbers and instants beyond all bounds."""

import csv
import io
import os
from pathlib import Path

import pytest
from conftest import Site

BAD = b"bad\xff"
HUGE = "9" * 400
BEYOND = str(1 << 63)


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that nothing changes."""
    site = Site(tmp_path_factory.mktemp("values") / "site")
    site.sm("setup init", "--zone", "UTC")
    return site


@pytest.mark.parametrize(
    "words",
    [
        ("client add", BAD),
        ("client add", "c", "--note", BAD),
        ("client add", "c", "--ssh", BAD),
        ("client add", "c", "--program", b"/\xff"),
        ("client show", BAD),
        ("client add", "a\x9bb"),
        ("client add", "a‮b"),
        ("task add", "t", "--source", "/x", "--note", BAD),
        ("task add", "t", "--source", "/x", "--group", BAD),
        ("media store add", "s", "--path", b"/\xff"),
        ("media loader add", "l", "--device", b"scsi:/\xff"),
        ("setup key add", BAD),
        ("backup list", "--task", BAD),
        ("restore start", BAD, "--target", "/x"),
        ("task add", "t", "--source", "/x", "--segment-size", "9999999P"),
        ("task add", "t", "--source", "/x", "--segment-size", HUGE),
        ("task add", "t", "--source", "/x", "--full-every", BEYOND),
        ("task add", "t", "--source", "/x", "--full-every", "99999999999"),
        ("media pool add", "P", "--group", "DISK", "--retention", BEYOND),
        ("media pool add", "P", "--group", "DISK", "--retention", "9999999"),
        ("media store add", "s", "--path", "/x", "--streams", BEYOND),
        ("media store add", "s", "--path", "/x", "--capacity", HUGE),
        ("job show", BEYOND),
        ("job show", HUGE),
        ("job list", "--limit", BEYOND),
        ("restore start", "--task", "t", "--target", "/x", "--at", "0001-01-01"),
        ("restore start", "--task", "t", "--target", "/x", "--at",
         "9999-12-31T23:59:59-12:00"),
        ("restore start", "S", "--target", "/x", "--path", ""),
        ("restore start", "S", "--target", "/x", "--path", "."),
        ("backup files", "S", ""),
        ("media store add", "s", "--path", ""),
        ("media store modify", "default", "--path", ""),
        ("setup init", "--store", ""),
    ],
    ids=lambda words: " ".join(map(str, words))[:60],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(some: Site, words: tuple[object, ...]) -> None:
    done = some.sm(str(words[0]), *words[1:], "--format", "json", code=2)
    assert done.error["exit_code"] == 2
    assert len(done.err.splitlines()) == 1


def test_a_postgresql_catalog_takes_no_wider_numbers(
    tmp_path: Path, postgres: object
) -> None:
    site = Site(tmp_path / "site", {"SESAM_DATABASE_URL": postgres.database()})  # type: ignore[attr-defined]
    site.sm("setup init", "--zone", "UTC")
    site.sm("job show", str((1 << 63) - 1), code=10)
    site.sm("job list", "--limit", str((1 << 63) - 1))
    most = ("--source", "/x", "--segment-size", "8191P")
    site.sm("task add", "t", *most)


def test_paths_of_any_bytes_are_in_every_form(site: Site, tmp_path: Path) -> None:
    source = os.fsencode(tmp_path) + b"/s\xff"
    os.makedirs(source + b"/sub")
    saveset = site.backup(source)["saveset"]
    rows = site.json("backup files", saveset)
    text = site.sm("backup files", saveset, "--format", "csv").out
    table = list(csv.DictReader(io.StringIO(text)))
    assert [one["path_b64"] for one in table] == [one["path_b64"] for one in rows]
    assert list(table[0]) == list(rows[0])
    (task,) = (one for one in site.json("task list") if one["name"] == "tree")
    shown = site.json("task show", "tree")
    assert task["sources_b64"] == shown["sources_b64"]
    assert len(shown["sources_b64"]) == 1
    (tmp_path / "plain").mkdir()
    saveset = site.backup(tmp_path / "plain", "plain")["saveset"]
    text = site.sm("backup files", saveset, "--format", "csv").out
    assert {one["path_b64"] for one in csv.DictReader(io.StringIO(text))} == {""}
    assert "path_b64" not in site.json("backup files", saveset)[0]


def test_an_exclude_of_any_bytes_is_kept(site: Site, tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    for name in (b"/a\xff", b"/a"):
        open(os.fsencode(source) + name, "w").close()
    saveset = site.backup(source, "t", "--exclude", b"a\xff")["saveset"]
    assert len(site.json("backup files", saveset)) == 2
    assert site.json("task show", "t")["excludes_b64"] == ["Yf8="]


def test_an_empty_csv_listing_has_its_header(site: Site) -> None:
    site.sm("client add", "c")
    full = site.sm("client list", "--format", "csv").out.splitlines()[0]
    assert full == "name,ssh,program,note"
    for words in ("task group list", "media loader list", "media drive list"):
        text = site.sm(words, "--format", "csv").out
        assert text.startswith("name,"), text
    assert site.sm("backup list", "--format", "csv").out.startswith("saveset,task,")
    assert site.sm("job list", "--format", "csv").out.startswith("job,type,object,")


def test_nothing_that_is_shown_moves_the_cursor(site: Site) -> None:
    site.sm("client add", "c", "--note", "one\ntwo\x1b[2J")
    for done in (site.sm("client list"), site.sm("client show", "c")):
        assert "\x1b" not in done.out
        assert r"one\ntwo\x1b[2J" in done.out
    done = site.sm("client show", "a\x1b[2J\nb", code=10)
    assert "\x1b" not in done.err
    assert len(done.err.splitlines()) <= 2
