"""Identifiers: UUID version 7 (RFC 9562, section 5.7), made by whoever first intends the thing."""

import secrets
import time
import uuid

_RANDOM_BITS = 74


def new_id() -> uuid.UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(_RANDOM_BITS)
    high = (milliseconds << 16) | (0x7 << 12) | (random >> 62)
    low = (0b10 << 62) | (random & ((1 << 62) - 1))
    return uuid.UUID(int=(high << 64) | low)


# The leading groups of a UUID in text, up to and with its fourth hyphen.
_BEGINNING_CHARACTERS = 24

# 2^48 more than the counter has twelve digits after its first: cheaper than filling up with zeros.
COUNTED_ID = (
    f"CAST(CAST(:ids_begin AS text) || substr(to_hex({1 << 48} + row_number() OVER ()), 2) AS uuid)"
)
"""SQL for the ids of the rows of one statement that makes many: see ``ids_begin``."""


def ids_begin() -> str:
    """The beginning of the ids of many rows; a counter of 48 bits follows it in each.

    They are UUIDv7 with a counter (RFC 9562, section 6.2, method 1). PostgreSQL's ``uuidv7()``
    draws random bits for every row, which takes longer than storing the row.
    """
    return str(new_id())[:_BEGINNING_CHARACTERS]
