"""XXH3-128, the digest of files, parts and pieces: the only door to xxhash."""

import xxhash

Digest = xxhash.xxh3_128
hexdigest = xxhash.xxh3_128_hexdigest

HEX_LENGTH = 32
EMPTY = hexdigest(b"")
