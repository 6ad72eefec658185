"""Whatever the caller does with the three streams, a command ends in good order."""

import subprocess
from pathlib import Path

import pytest
from conftest import BIN, Site


def shell(site: Site, line: str, **more: str) -> subprocess.CompletedProcess:
    """Run a line of bash; its exit code is that of the first command of a pipe."""
    done = subprocess.run(
        ["bash", "-c", f"{line}\nexit ${{PIPESTATUS[0]}}"],
        env={**site.environment(), "PATH": f"{BIN}:/usr/bin:/bin", **more},
        capture_output=True,
        timeout=60,
        cwd=site.root.parent,
    )
    assert b"Traceback" not in done.stderr + done.stdout, done
    assert b"Exception ignored" not in done.stderr, done
    return done


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with a saveset of many objects, its name in the file `name`."""
    tmp_path = tmp_path_factory.mktemp("streams")
    site = Site(tmp_path / "site")
    site.sm("setup init", "--zone", "UTC")
    source = tmp_path / "source"
    source.mkdir()
    for number in range(1500):
        (source / f"file-{number}").touch()
    (tmp_path / "name").write_text(site.backup(source)["saveset"])
    return site


@pytest.mark.parametrize(
    "words",
    [
        "sm_client list",
        "sm_client --help",
        "sm_client list --help",
        "sm_client list --format csv",
        "sm_setup check",
        "sm_job log 1",
        "sm_backup files $(cat name)",
        "sm_backup files $(cat name) --format jsonl",
        "sm_backup files $(cat name) --format json",
        "sm_backup show $(cat name)",
        "sm_restore start $(cat name) --target back --dry-run",
    ],
)
def test_a_reader_that_goes_away_is_no_error(filled: Site, words: str) -> None:
    for reader in ("true", "head -1"):
        done = shell(filled, f"{words} | {reader}")
        assert (done.returncode, done.stderr) == (0, b""), done


def test_what_was_found_is_in_the_exit_code_though_nobody_reads(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "s").mkdir()
    name = site.backup(tmp_path / "s")["saveset"]
    (site.store() / name / "listing.zst").write_bytes(b"x" * 50)
    assert shell(site, "sm_backup verify --all | true").returncode == 40


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sm_client list >&-", 0),
        ("sm_client list 2>&-", 0),
        ("sm_client show none 2>&-", 10),
        ("sm_client show none 2>/dev/full", 10),
        ("sm_client list <&- >&- 2>&-", 0),
        ("sm_client list > /dev/full", 19),
        ("sm_client list --help > /dev/full", 19),
        ("sm_backup files $(cat name) --format jsonl > /dev/full", 19),
        ("sm_sbc --source /etc/hostname > /dev/full", 19),
        ("sm_client remove none <&-", 10),
        ("sm_setup key add k --passphrase <&-", 2),
        ("sm_sbc <&- >&-", 42),
        ("sm_sms --store store <&-", 34),
        ("sm_sbc --source /etc/hostname >&-", 0),
        (r"printf 'a\xff\n' | sm_setup key add k --passphrase", 2),
    ],
)
def test_streams_that_are_closed_or_full(filled: Site, line: str, code: int) -> None:
    if "printf" in line:
        line = line.partition("| ")[2] + r" < <(printf 'a\xff\n')"
    done = shell(filled, line)
    assert done.returncode == code, done
    if code == 19:
        assert b"the output cannot be written" in done.stderr


def test_a_catalog_is_not_opened_as_a_standard_stream(filled: Site) -> None:
    before = filled.json("client list")
    shell(filled, "sm_client add more >&- 2>&- <&-", SESAM_NOW="2030-01-01T00:00+00:00")
    assert len(filled.json("client list")) == len(before) + 1
    filled.sm("setup check")


def test_a_passphrase_without_stdin_verifies_what_is_stored(
    site: Site, tmp_path: Path
) -> None:
    shell(site, "sm_setup key add k --passphrase <<< 'open sesame'")
    recipient = site.json("setup key show", "k")["recipient"]
    (tmp_path / "s").mkdir()
    site.backup(tmp_path / "s", "t", "--recipient", recipient)
    done = shell(site, "sm_backup verify --all --format jsonl <&-")
    assert done.returncode == 0
    assert b'"depth": "stored"' in done.stdout
