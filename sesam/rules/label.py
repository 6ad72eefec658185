"""Labels of tapes, and the two readable blocks that we write beside data.

The first tape file of a medium is its label; in front of each saveset stands a header
with the commands that read on. Both are one block of JSON, plain ASCII, readable with
`dd` in any century.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sesam.errors import ForeignSite, MediumFull, UnknownFormat, WrongMedium

FORMAT = 1
_LABEL, _HEADER = "sesam_label", "sesam_header"
_MOST = 99999


@dataclass(frozen=True, slots=True)
class Label:
    """What a medium's label says; made_at -- ISO 8601."""

    site: str
    pool: str
    label: str
    block_bytes: int
    made_at: str


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in front of the pieces of one saveset on one medium.

    part, number, file -- the piece with which this medium goes on, and its tape file
    identity -- a passphrase-protected age identity in base64, "" for none
    """

    site: str
    label: str
    saveset: str
    part: str
    number: int
    file: int
    block_bytes: int
    encrypted: bool
    identity: str = ""


def next_label(pool: str, taken: Iterable[str]) -> str:
    """Return the label for a new medium: pool name + five digits.

    >>> next_label("LTO", ["LTO00001", "LTO00007", "X00009"])
    'LTO00008'
    """
    form = re.compile(re.escape(pool) + r"(\d{5})")
    numbers = [int(hit[1]) for one in taken if (hit := form.fullmatch(one))]
    number = max(numbers, default=0) + 1
    if number > _MOST:
        raise MediumFull(f'media pool "{pool}" has no label left')
    return f"{pool}{number:05d}"


def encode_label(label: Label) -> bytes:
    """Return the block of a label."""
    return _block(
        {
            _LABEL: FORMAT,
            "site": label.site,
            "pool": label.pool,
            "label": label.label,
            "block_bytes": label.block_bytes,
            "made_at": label.made_at,
            "layout": "tape file 0 is this label; then for each saveset a header"
            " (JSON), data, listing, manifest.json, each a tape file",
        }
    )


def decode_label(block: bytes) -> Label:
    """Return the label in a block. Raises UnknownFormat where it is none."""
    facts = _facts(block, _LABEL)
    try:
        return Label(
            site=str(facts["site"]),
            pool=str(facts["pool"]),
            label=str(facts["label"]),
            block_bytes=int(str(facts["block_bytes"])),
            made_at=str(facts["made_at"]),
        )
    except (KeyError, ValueError) as error:
        raise UnknownFormat("the label of the tape lacks a value") from error


def check_label(found: Label, *, site: str, label: str) -> None:
    """Raise ForeignSite or WrongMedium where a label is not the one expected."""
    if found.site != site:
        raise ForeignSite(
            f'the tape "{found.label}" belongs to another site ({found.site})'
        )
    if found.label != label:
        raise WrongMedium(f'the drive holds "{found.label}", not "{label}"')


def encode_header(header: Header) -> bytes:
    """Return the block of a header, with the commands that read on by hand."""
    count = max(1, header.block_bytes // 1024)
    unpack = "zstd -dc | tar x"
    if header.encrypted:
        unpack = f"age -d -i KEY | {unpack}"
    read = [
        f"mt -f /dev/nst0 rewind; mt -f /dev/nst0 fsf {header.file}",
        f"dd if=/dev/nst0 bs={count}k of={header.part}.p{header.number}",
        "the next dd reads the next tape file: data pieces, listing, manifest.json",
        f"cat the pieces of a part in order, then: {unpack}",
    ]
    return _block(
        {
            _HEADER: FORMAT,
            "site": header.site,
            "label": header.label,
            "saveset": header.saveset,
            "part": header.part,
            "piece": header.number,
            "tape_file": header.file,
            "block_bytes": header.block_bytes,
            "read": read,
            "identity": header.identity,
        }
    )


def decode_header(block: bytes) -> Header:
    """Return the header in a block. Raises UnknownFormat where it is none."""
    facts = _facts(block, _HEADER)
    try:
        return Header(
            site=str(facts["site"]),
            label=str(facts["label"]),
            saveset=str(facts["saveset"]),
            part=str(facts["part"]),
            number=int(str(facts["piece"])),
            file=int(str(facts["tape_file"])),
            block_bytes=int(str(facts["block_bytes"])),
            encrypted=str(facts["part"]).endswith(".age"),
            identity=str(facts["identity"]),
        )
    except (KeyError, ValueError) as error:
        raise UnknownFormat("the header of a saveset lacks a value") from error


def _block(facts: dict[str, object]) -> bytes:
    return json.dumps(facts, indent=1).encode("ascii") + b"\n"


def _facts(block: bytes, mark: str) -> dict[str, object]:
    try:
        facts = json.loads(block)
    except (ValueError, RecursionError) as error:
        raise UnknownFormat("the tape begins with no label of ours") from error
    if not isinstance(facts, dict) or mark not in facts:
        raise UnknownFormat("the tape begins with no label of ours")
    if facts[mark] != FORMAT:
        raise UnknownFormat("the tape was written by a later release")
    return facts
