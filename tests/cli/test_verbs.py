"""add, modify, remove for programs; what can be emptied; what is refused by name."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, Site

DRIVE = ("--device", "scsi:/dev/sg99", "--group", "LTO")
OBJECTS = [
    ("client", "web", ("--note", "n"), ("--ssh", "root@web")),
    ("task", "t", ("--source", "/x"), ("--exclude", "*.o")),
    ("task group", "g", ("--task", "SESAM_BACKUP"), ("--note", "n")),
    ("media pool", "YEAR", ("--group", "DISK"), ("--retention", "9")),
    ("media group", "G", (), ("--note", "n")),
    ("media loader", "lib", ("--device", "scsi:/dev/sg98"), ("--note", "n")),
    ("media drive", "lto1", DRIVE, ("--device", "scsi:/dev/sg97")),
]


@pytest.mark.parametrize(
    ("family", "name", "options", "change"), OBJECTS, ids=[one[0] for one in OBJECTS]
)
def test_programs_get_the_object_and_people_a_sentence(
    site: Site,
    family: str,
    name: str,
    options: tuple[str, ...],
    change: tuple[str, ...],
) -> None:
    if "LTO" in options:
        site.sm("media group add", "LTO")
    made = site.json(f"{family} add", name, *options)
    assert made == site.json(f"{family} show", name)
    changed = site.json(f"{family} modify", name, *change)
    assert changed == site.json(f"{family} show", name) != made
    assert site.json(f"{family} remove", name, "--dry-run") == changed
    by_env = Site(site.root, {"SESAM_FORMAT": "jsonl"})
    assert by_env.sm(f"{family} remove", name, "--yes").json == changed
    done = site.sm(f"{family} add", name, *options)
    assert done.out == ""
    assert done.err.endswith(f'"{name}" added\n')


def test_a_store_is_printed_too(site: Site, tmp_path: Path) -> None:
    made = site.json("media store add", "s", "--path", tmp_path / "s")
    assert made == site.json("media store show", "s")
    changed = site.json("media store modify", "s", "--streams", "2")
    assert changed["streams"] == 2
    assert site.json("media store remove", "s", "--yes") == changed


def test_the_log_of_a_job_is_lines_for_programs(site: Site, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    job = site.backup(tmp_path / "s")["job"]
    rows = site.json("job log", job)
    lines = site.sm("job log", job).out.splitlines()
    assert [f"{one['at']} {one['text']}" for one in rows] == lines
    assert rows[0]["at"].endswith("+00:00")


def test_what_a_task_has_several_of_can_be_emptied(site: Site, tmp_path: Path) -> None:
    site.sm("task group add", "g")
    several = ("--exclude", "*.o", "--exclude-if-present", "no", "--group", "g")
    site.sm("task add", "t", "--source", "/x", *several)
    empty = ("--exclude-from", "/dev/null", "--no-exclude-if-present", "--no-group")
    Path(tmp_path / "none").touch()
    empty = ("--exclude-from", str(tmp_path / "none"), *empty[2:])
    row = site.json("task modify", "t", *empty)
    assert [row["excludes"], row["exclude_if_present"], row["groups"]] == [[], [], []]
    site.sm("task group modify", "g", "--task", "t")
    assert site.json("task group modify", "g", "--no-task")["tasks"] == []


def test_a_pool_that_others_take_from_stays_a_spare_pool(site: Site) -> None:
    site.sm("media pool add", "SPARE", "--group", "DISK", "--spare")
    site.sm("media pool add", "YEAR", "--group", "DISK", "--from-spare", "SPARE")
    done = site.sm("media pool modify", "SPARE", "--no-spare", code=12)
    assert '"YEAR"' in done.err
    site.sm("media pool modify", "YEAR", "--from-spare", "")
    site.sm("media pool modify", "SPARE", "--no-spare")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("backup verify", "--task", "none"), 10),
        (("backup verify", "S", "--task", "SESAM_BACKUP"), 2),
        (("backup verify", "--all", "--task", "SESAM_BACKUP"), 2),
        (("backup verify",), 2),
        (("media list", "--pool", "none"), 10),
    ],
)
def test_a_name_that_is_wrong_is_said(
    site: Site, words: tuple[str, ...], code: int
) -> None:
    site.sm(words[0], *words[1:], code=code)


def verified(site: Site, tmp_path: Path, word: str, *options: object) -> object:
    path = tmp_path / "word"
    path.write_text(word)
    with open(path) as stdin:
        return site.sm("backup verify --all", *options, code=None, stdin=stdin)


def test_an_identity_that_was_named_must_open(site: Site, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("open sesame\n")
    with open(tmp_path / "word") as stdin:
        site.sm("setup key add", "k", "--passphrase", stdin=stdin)
    key = site.json("setup key show", "k")
    (tmp_path / "s").mkdir()
    for _ in range(2):
        site.backup(tmp_path / "s", "t", "--recipient", key["recipient"])
    other = site.json("setup key add", "other")["path"]
    for word, options, code in (
        ("", ("--identity", "/none"), 43),
        ("", ("--identity", other), 43),
        ("", ("--identity", key["path"]), 43),
        ("wrong\n", (), 43),
        ("", (), 0),
        ("open sesame\n", (), 0),
        ("open sesame\n", ("--identity", key["path"]), 0),
    ):
        done = verified(site, tmp_path, word, "--format", "csv", *options)
        assert done.code == code, (word, options, done)  # type: ignore[attr-defined]
        if not code:
            depth = "full" if word else "stored"
            assert done.out.count(f",{depth},") == 2, done  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--source", "/etc", "--recipient", "age1x"), 2),
        (("--source", "/etc", "--exclude", "re:("), 2),
        (("--source", "/etc", "--segment-size", "1"), 2),
        (("--source", "/etc", "--exclude-if-present", "a/b"), 2),
        (("--source", "/no/such", "--source", "/nor/this"), 51),
    ],
)
def test_a_source_is_checked_before_its_first_record(
    site: Site, options: tuple[str, ...], code: int
) -> None:
    assert site.sm("sbc", *options, code=code).out == ""


def test_a_checkout_without_its_packages_says_so(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    starter = shutil.copy(BIN / "sm_setup", tmp_path / "bin")
    (tmp_path / "sesam").symlink_to(BIN.parent / "sesam")
    bare = tmp_path / "bare"
    subprocess.run(["python3", "-m", "venv", "--without-pip", bare], check=True)
    done = subprocess.run(
        [starter, "--help"],
        env={"PATH": f"{bare}/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: sm_setup lacks its Python packages")
    assert len(done.stderr.splitlines()) == 1
