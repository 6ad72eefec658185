"""The bytes of a saveset: tar, frames, seek table, listing, manifest, stream.

Knows no device and no catalog. May import crypt, digest, ports, terms, errors.
"""
