"""What the process that restores the later half is told: one JSON document.

It looks into no catalog: where pieces lie, and what opens them, is told as well.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sesam.client.objects import Existing
from sesam.terms import Piece, Place


@dataclass(frozen=True, slots=True)
class Order:
    """A half of a restore.

    listing, frame -- the server's copy of the listing, and where to begin in it
    way  -- directory below the target that is there already, and finished elsewhere
    parted -- (device, inode) of objects of which a name is restored elsewhere
    site -- its id, as the markers of its stores bear it; stores -- paths by name
    chain -- (saveset, bytes stored, pieces), the saveset restored last
    secrets -- identities, as age spells them
    """

    target: bytes
    existing: Existing
    numeric: bool
    partial: bool
    listing: str
    frame: int
    way: bytes
    parted: Sequence[tuple[int, int]]
    site: str
    stores: dict[str, str]
    chain: Sequence[tuple[str, int, Sequence[Piece]]]
    secrets: Sequence[str]


def encode(order: Order) -> bytes:
    """Return it as bytes; `decode` is the inverse."""
    told = asdict(order)
    for key in ("target", "way"):
        told[key] = base64.b64encode(told[key]).decode()
    return json.dumps(told).encode()


def decode(text: bytes) -> Order:
    """Return the order of another process."""
    told = json.loads(text)
    for key in ("target", "way"):
        told[key] = base64.b64decode(told[key])
    told["existing"] = Existing(told["existing"])
    told["chain"] = [
        (name, size, [_piece(one) for one in pieces])
        for name, size, pieces in told["chain"]
    ]
    return Order(**told)


def _piece(told: dict[str, Any]) -> Piece:
    return Piece(**{**told, "place": Place(**told["place"])})
