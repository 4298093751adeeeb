"""Identifiers: new ones, and those that follow from what they name.

A new one is a UUID version 7 (RFC 9562, section 5.7), made by whoever first intends the thing.

What money depends on has an id that follows from what it is, a UUID version 8 (section 5.8) over
SHA-256: whoever works the same thing out again, after the database has lost what it said, gives
it the same id, and nobody is paid twice. docs/decisions/ids.md tells what follows from what.

Whoever makes ids by the thousand has them as asyncpg reads them: a ``uuid.UUID`` of a type of its
own, which is made in a seventh of the time.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime

import uuid_utils
from asyncpg.pgproto import pgproto
from uuid_utils.compat import uuid7

_MILLISECONDS_BITS = 48
_LENGTH_BYTES = 4
_ID_BYTES = 16
_NEAR_BYTES = 6
_VERSION_AND_VARIANT = 0xF << 76 | 0x3 << 62
_VERSION_8 = 0x8 << 76 | 0x2 << 62


def new_id() -> uuid.UUID:
    """A new UUIDv7; of two that one process makes, the later is the greater."""
    return uuid7()


def new_ids(count: int) -> list[uuid.UUID]:
    """So many new ids, as asyncpg reads them."""
    return [pgproto.UUID(uuid_utils.uuid7().bytes) for _ in range(count)]


def id_of(
    *parts: uuid.UUID | str | int | bytes, day: date | None = None, near: bytes | None = None
) -> uuid.UUID:
    """The id of what these parts name, in their order; the same parts give the same id.

    With a ``day`` the ids of earlier days are the smaller, and the day is a part as well. ``near``
    (six bytes or more) is how the id begins: those of one ``near`` lie together in an index.
    """
    named = parts if day is None else (*parts, day.isoformat())
    digest = hashlib.sha256(b"".join(map(_framed, named))).digest()
    if day is not None:
        near = _milliseconds(day).to_bytes(_MILLISECONDS_BITS // 8)
    return uuid.UUID(int=_number(digest, digest if near is None else near))


def numbers_of(kind: str, parts: Iterable[tuple[bytes, bytes]]) -> list[int]:
    """The numbers, of 128 bits, of ``id_of(kind, part, near=near)`` for each part and its ``near``,
    in a third of the time."""
    begun, hashed = _framed(kind), hashlib.sha256
    return [_number(hashed(begun + _framed(part)).digest(), near) for part, near in parts]


def id_of_number(number: int) -> uuid.UUID:
    """The id that is this number, as asyncpg reads ids."""
    made: uuid.UUID = pgproto.UUID(number.to_bytes(_ID_BYTES))
    return made


def _number(digest: bytes, near: bytes) -> int:
    begun = near[:_NEAR_BYTES] + digest[_NEAR_BYTES:_ID_BYTES]
    return int.from_bytes(begun) & ~_VERSION_AND_VARIANT | _VERSION_8


def _framed(part: uuid.UUID | str | int | bytes) -> bytes:
    """A part with its length before it: no two lists of parts read alike."""
    if not isinstance(part, bytes):
        part = part.bytes if isinstance(part, uuid.UUID) else str(part).encode()
    return len(part).to_bytes(_LENGTH_BYTES) + part


def _milliseconds(day: date) -> int:
    """Since 1970, as in UUIDv7; days before that lie together, and are told apart by the rest."""
    return max(0, int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())) * 1000


ENTITLEMENT_ID = """
    CAST(overlay(overlay(
        left(encode(sha256(uuid_send({household_id}) || :round_key), 'hex'), 32)
        PLACING :round_prefix || left(CAST({household_id} AS text), 6) || '8' FROM 1 FOR 13)
        PLACING 'a' FROM 17 FOR 1)
    AS uuid)
"""
"""SQL for the ids of one round's entitlements, from the households': see ``round_parts``.

All ids of a round begin alike, and go on as the households' begin: the rows that an activation
makes lie together in an index, and those of neighbours beside one another.
"""

INSTRUCTION_ID = """
    CAST(left(CAST({entitlement_id} AS text), 14) || '8'
        || substr(CAST({entitlement_id} AS text), 16, 3) || 'a'
        || left(encode(sha256(uuid_send({entitlement_id})
            || int2send({announcement}) || int2send({attempt})), 'hex'), 15)
    AS uuid)
"""
"""SQL for the id of one attempt to pay an entitlement, as the provider gets to see it.

It begins as the entitlement's does: what is read in the order of the one is in that of the other.
"""


def round_parts(activation_id: uuid.UUID, round_number: int) -> dict[str, bytes | str]:
    """What ``ENTITLEMENT_ID`` takes."""
    key = _round_key(activation_id, round_number)
    return {"round_key": key, "round_prefix": _round_prefix(key)}


def entitlement_id(
    household_id: uuid.UUID, activation_id: uuid.UUID, round_number: int
) -> uuid.UUID:
    """What a household is owed in a round of an activation, as ``ENTITLEMENT_ID`` names it."""
    key = _round_key(activation_id, round_number)
    digits = hashlib.sha256(household_id.bytes + key).hexdigest()[:32]
    begins = _round_prefix(key) + household_id.hex[:6]
    return uuid.UUID(f"{begins}8{digits[13:16]}a{digits[17:]}")


def _round_key(activation_id: uuid.UUID, round_number: int) -> bytes:
    return activation_id.bytes + round_number.to_bytes(2)


def _round_prefix(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:6]


def instruction_id(
    entitlement_id: uuid.UUID, *, announcement: int = 1, attempt: int = 1
) -> uuid.UUID:
    """One attempt to pay an entitlement, as ``INSTRUCTION_ID`` names it."""
    name = entitlement_id.bytes + announcement.to_bytes(2) + attempt.to_bytes(2)
    digits = hashlib.sha256(name).hexdigest()[:15]
    begins = entitlement_id.hex
    return uuid.UUID(f"{begins[:12]}8{begins[13:16]}a{digits}")
