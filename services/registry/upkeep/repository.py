"""Households and accounts in small sets, with what they are found by."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.registry.households.fields import Kept
from services.registry.households.shape import FOUND, OPEN

FOUND_BY = {
    known.found_by.column: known
    for known in FOUND
    if known.found_by is not None and known.kept is Kept.SEALED
}
"""The fields that are found by a column of the household, by that column."""

_INDEXES = (*FOUND_BY, "content_index")
_OPEN = [known.name for known in OPEN]

# Locked as for a new key, and passed over where somebody holds one: this waits for nobody.
_HOUSEHOLDS = f"""
    SELECT id, {", ".join([*_OPEN, *_INDEXES])}, person_sealed
    FROM registry.household
    WHERE id > $1
    ORDER BY id LIMIT $2
    FOR UPDATE SKIP LOCKED
"""
_ACCOUNTS = """
    SELECT id, household_id, provider_code, account_sealed, account_index
    FROM registry.payee_account
    WHERE household_id = ANY($1)
    FOR UPDATE
"""
_STORE_HOUSEHOLDS = f"""
    UPDATE registry.household AS kept
    SET {", ".join(f"{name} = given.{name}" for name in _INDEXES)}
    FROM unnest($1::uuid[], {", ".join(f"${at}::bytea[]" for at in range(2, 2 + len(_INDEXES)))})
        AS given (id, {", ".join(_INDEXES)})
    WHERE kept.id = given.id
"""
_STORE_ACCOUNTS = """
    UPDATE registry.payee_account AS kept SET account_index = given.account_index
    FROM unnest($1::uuid[], $2::bytea[]) AS given (id, account_index)
    WHERE kept.id = given.id
"""

Indexes = Sequence[bytes | None]
"""What a household is found and compared by, in the order of its columns."""


async def count_households(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM registry.household")
    return count


async def lock_households(
    connection: asyncpg.Connection, *, after: UUID, limit: int
) -> Sequence[asyncpg.Record]:
    """The next households that nobody holds, by id."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(_HOUSEHOLDS, after, limit)
    return rows


async def accounts_of(
    connection: asyncpg.Connection, household_ids: Sequence[UUID]
) -> Sequence[asyncpg.Record]:
    """Every account that these households have or had."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(_ACCOUNTS, household_ids)
    return rows


def indexes_of(household: asyncpg.Record) -> Indexes:
    """What a household is stored with."""
    return [household[name] for name in _INDEXES]


async def store_households(
    connection: asyncpg.Connection, given: Sequence[tuple[UUID, Indexes]]
) -> None:
    """Store what these households are found and compared by."""
    columns = zip(*(indexes for _, indexes in given), strict=True)
    await connection.execute(
        _STORE_HOUSEHOLDS, [household_id for household_id, _ in given], *map(list, columns)
    )


async def store_accounts(
    connection: asyncpg.Connection, given: Sequence[tuple[UUID, bytes]]
) -> None:
    """Store what these accounts are found by."""
    await connection.execute(
        _STORE_ACCOUNTS, [account_id for account_id, _ in given], [index for _, index in given]
    )
