"""Bech32: the spelling of age keys (BIP-173, without its limit of 90 characters)."""

_SIGNS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """Return `data` in bech32, in the letter case of `prefix`."""
    values = _regroup(data, 8, 5, pad=True)
    low = prefix.lower()
    check = _polymod([*_expand(low), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - place) & 31 for place in range(6)]
    text = low + "1" + "".join(_SIGNS[value] for value in values)
    return text.upper() if prefix.isupper() else text


def decode(prefix: str, text: str) -> bytes:
    """Return the data of a text that bears `prefix`. Raises ValueError."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case are mixed")
    found, one, tail = text.rpartition("1")
    if not one or found != prefix:
        raise ValueError(f"it does not begin with {prefix}1")
    try:
        values = [_SIGNS.index(sign) for sign in tail.lower()]
    except ValueError:
        raise ValueError("it holds a sign that no key has") from None
    if len(values) < 6 or _polymod([*_expand(prefix.lower()), *values]) != 1:
        raise ValueError("its checksum is wrong")
    return bytes(_regroup(values[:-6], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return check


def _regroup(data: bytes | list[int], have: int, want: int, *, pad: bool) -> list[int]:
    held = bits = 0
    found = []
    for value in data:
        held = held << have | value
        bits += have
        while bits >= want:
            bits -= want
            found.append(held >> bits & (1 << want) - 1)
        held &= (1 << bits) - 1
    if pad and bits:
        found.append(held << want - bits & (1 << want) - 1)
    elif not pad and (bits >= have or held):
        raise ValueError("its last bits are not zero")
    return found
