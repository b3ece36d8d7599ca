"""The leaf of an event and the chain of leaves.

leaf = SHA-256(0x00 ‖ format ‖ salt ‖ every column but position and hash, in the order of `LEAF_COLUMNS`)
hash = SHA-256(previous hash ‖ leaf), starting from 32 zero bytes.

Each column is its bytes behind their length (4 bytes, big-endian); a null is the length 0xFFFFFFFF alone. Integers are
decimal ASCII, times as `moment` writes them, UUIDs in their hyphenated form, text in UTF-8.

Promises: anyone who holds an event as it travelled can compute its leaf with the standard library; no two different
rows have the same input. Limit: the chain alone does not show a cut tail (tests/contract/test_tampering.py).
"""

import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import cast
from uuid import UUID

import msgspec

from avow.contracts import moment

FORMAT = 1
GENESIS = bytes(32)
SALT_LENGTH = 16
LEAF_COLUMNS = (
    "org",
    "sequence",
    "stream",
    "version",
    "event_id",
    "type",
    "schema",
    "occurred_at",
    "recorded_at",
    "campaign",
    "actor",
    "on_behalf_of",
    "correlation_id",
    "causation_id",
    "traceparent",
    "late_reason",
    "data",
    "sealed",
)

LeafValue = str | int | bytes | datetime | UUID | None
_NULL = b"\xff\xff\xff\xff"
_length = struct.Struct(">I").pack
_LENGTHS = [_length(n) for n in range(1024)]
_quoted = msgspec.json.Encoder().encode


def leaf(salt: bytes, values: Iterable[LeafValue], format: int = FORMAT) -> bytes:
    """The 32-byte leaf of a row; `values` in the order of `LEAF_COLUMNS`. An unknown format is a ValueError, and
    so is a salt of another length, behind which a column could hide.
    """
    if format != FORMAT:
        raise ValueError(f"unknown leaf format {format}")
    if len(salt) != SALT_LENGTH:
        raise ValueError(f"a salt of {len(salt)} bytes")
    parts = [b"\x00", bytes((format,)), salt]
    add = parts.append
    for value in values:
        if value is None:
            add(_NULL)
            continue
        # Asked for in the order of how often there are such: it is done for every event there is.
        if isinstance(value, str):
            raw = value.encode()
        elif isinstance(value, int):
            raw = b"%d" % value
        elif isinstance(value, bytes):
            raw = value
        elif isinstance(value, UUID):
            # The same text as `str` makes, in a quarter of the time.
            raw = _quoted(value)[1:-1]
        else:
            raw = moment.to_text(value).encode()
        length = len(raw)
        add(_LENGTHS[length] if length < 1024 else _length(length))
        add(raw)
    return sha256(b"".join(parts)).digest()


def leaf_values(row: Mapping[str, object]) -> Iterable[LeafValue]:
    """A row's columns in the order they are hashed in."""
    return (cast(LeafValue, row[column]) for column in LEAF_COLUMNS)


def chain(previous: bytes, leaf: bytes) -> bytes:
    """The hash of a row whose predecessor has the hash `previous`."""
    return sha256(previous + leaf).digest()
