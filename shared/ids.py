"""Identifiers: UUID version 7 (RFC 9562, section 5.7), made by whoever first intends the thing."""

import time
import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A new UUIDv7; of two that one process makes, the later is the greater."""
    return uuid7()


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
    # Given a time, the library draws every other bit anew. By itself it counts on from where it
    # stopped: all ids of a millisecond would begin alike, and those of two statements would meet.
    return str(uuid7(nanoseconds=time.time_ns()))[:_BEGINNING_CHARACTERS]
