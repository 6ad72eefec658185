"""age files: ours open with age, age's open with us, and nothing else opens."""

import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sink import Bytes

from sesam.crypt import bech32
from sesam.crypt.agefile import (
    CHUNK_BYTES,
    AgeBlob,
    AgeWriter,
    protect,
    read_identities,
)
from sesam.crypt.keys import (
    Identity,
    identity_file,
    new_identity,
    parse_identities,
    parse_recipient,
)
from sesam.errors import Damaged, NoIdentity, SesamError, WrongUsage

ME = new_identity()
SIZES = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    3 * CHUNK_BYTES,
    1_000_000,
]


def encrypted(plain: bytes, *who: Identity, step: int = 10_007) -> bytes:
    stored = bytearray()
    writer = AgeWriter([one.recipient.text for one in who or (ME,)], stored.extend)
    for at in range(0, len(plain), step):
        writer.write(plain[at : at + step])
    writer.finish()
    return bytes(stored)


def opened(stored: bytes, *who: Identity) -> bytes:
    blob = AgeBlob(Bytes(stored), who or (ME,))
    return blob.read_at(0, blob.size)


@pytest.mark.parametrize("step", [CHUNK_BYTES - 1, CHUNK_BYTES, 200_000, 1 << 20])
def test_writes_of_any_size_are_one_stream(step: int) -> None:
    plain = random.Random(step).randbytes(3_000_000)
    assert opened(encrypted(plain, step=step)) == plain


@pytest.mark.parametrize("size", SIZES)
def test_age_opens_ours_and_we_open_its(tmp_path: Path, size: int) -> None:
    key = tmp_path / "key"
    key.write_text(identity_file(ME, "now"))
    plain = os.urandom(size)
    other = new_identity()
    done = subprocess.run(
        ["age", "-d", "-i", key], input=encrypted(plain, other, ME), capture_output=True
    )
    assert done.stdout == plain
    theirs = subprocess.run(
        ["age", "-r", ME.recipient.text, "-r", other.recipient.text],
        input=plain,
        capture_output=True,
        check=True,
    )
    assert opened(theirs.stdout) == plain
    assert opened(theirs.stdout, other) == plain


def test_age_keygen_knows_our_identity(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(identity_file(ME, "now"))
    shown = subprocess.run(["age-keygen", "-y", key], capture_output=True, text=True)
    assert shown.stdout.strip() == ME.recipient.text
    made = subprocess.run(["age-keygen"], capture_output=True, text=True).stdout
    (theirs,) = parse_identities(made)
    assert theirs.recipient.text in made


def test_age_opens_an_identity_that_we_protect(tmp_path: Path) -> None:
    """age asks for a passphrase on a terminal alone: it gets one."""
    stored = tmp_path / "key.age"
    stored.write_bytes(protect(ME.secret, "open sesame", work=12))
    pid, terminal = pty.fork()
    if not pid:
        os.execvp("age", ["age", "-d", "-o", str(tmp_path / "key"), str(stored)])
    seen = b""
    while b"passphrase" not in seen:
        seen += os.read(terminal, 100)
    os.write(terminal, b"open sesame\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert status == 0, seen
    assert (tmp_path / "key").read_text() == ME.secret


def test_a_protected_identity_opens_with_its_passphrase_alone() -> None:
    stored = protect(ME.secret, "open sesame", work=10)
    assert read_identities(stored, lambda: "open sesame") == [ME]
    with pytest.raises(NoIdentity, match="passphrase is wrong"):
        read_identities(stored, lambda: "open barley")


def test_a_file_that_asks_for_endless_work_is_refused() -> None:
    stored = protect("x", "y", work=10).replace(b" 10\n", b" 40\n", 1)
    with pytest.raises(Damaged, match="2\\^40"):
        read_identities(stored, lambda: "y")


def test_another_identity_opens_nothing() -> None:
    with pytest.raises(NoIdentity):
        opened(encrypted(b"secret"), new_identity())


def test_every_flipped_bit_and_truncation_is_found() -> None:
    whole = encrypted(b"a short secret")
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            with pytest.raises(SesamError):
                opened(bytes(changed))
        with pytest.raises(SesamError):
            opened(whole[:at])
    with pytest.raises(SesamError):
        opened(whole + b"x")


@pytest.mark.parametrize("size", [CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5])
def test_a_file_cut_between_chunks_is_found(size: int) -> None:
    whole = encrypted(os.urandom(size))
    stored = CHUNK_BYTES + 16
    head = len(whole) - size - 16 * max(1, -(-size // CHUNK_BYTES))
    for chunks in range(1, size // CHUNK_BYTES):
        with pytest.raises(Damaged):
            opened(whole[: head + chunks * stored])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 300_000), st.integers(0, 200_000))
def test_any_place_reads_as_it_was_written(offset: int, length: int) -> None:
    assert BLOB.read_at(offset, length) == PLAIN[offset : offset + length]


PLAIN = os.urandom(280_000)
BLOB = AgeBlob(Bytes(encrypted(PLAIN)), (ME,))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_sentence(raw: bytes) -> None:
    for stored in (raw, b"age-encryption.org/v1\n" + raw):
        with pytest.raises(SesamError):
            opened(stored)


NO_RECIPIENTS = [
    "",
    "age1",
    "age1qqqq",
    ME.recipient.text[:-1],
    ME.recipient.text.upper()[:-1] + "b",
    "ssh-ed25519 AAAA",
    "age1" + "q" * 58,
    "Age1abc",
]


@pytest.mark.parametrize("number", range(len(NO_RECIPIENTS)))
def test_what_is_no_recipient_is_said(number: int) -> None:
    with pytest.raises(WrongUsage, match="no age recipient"):
        parse_recipient(NO_RECIPIENTS[number])


def test_a_secret_taken_for_a_recipient_is_not_shown() -> None:
    with pytest.raises(WrongUsage, match="secret") as found:
        parse_recipient(ME.secret)
    assert ME.secret not in str(found.value)


def test_what_is_no_identity_is_said_without_showing_it() -> None:
    secret = ME.secret[:-1] + ("Q" if ME.secret[-1] != "Q" else "P")
    with pytest.raises(NoIdentity, match="line 2") as found:
        parse_identities(f"# mine\n{secret}\n")
    assert secret not in str(found.value)
    assert ME.secret not in repr(ME)


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_bech32_comes_back(raw: bytes) -> None:
    assert bech32.decode("age", bech32.encode("age", raw)) == raw
    text = bech32.encode("age", raw)
    for at in range(4, len(text)):
        other = "q" if text[at] != "q" else "p"
        with pytest.raises(ValueError):
            bech32.decode("age", text[:at] + other + text[at + 1 :])


def test_the_modules_of_this_room_need_nothing_else() -> None:
    code = "import sesam.crypt.agefile, sys; print('sesam.catalog' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"
