"""Households, their members and accounts in small sets, with what they are found by."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.registry.households.fields import Kept
from services.registry.households.shape import FOUND, OPEN
from services.registry.members import shape as member

Indexes = Sequence[bytes | list[int] | None]
"""What a household is found and compared by, in the order of its columns: its tokens last."""
_TOKENS = "name_tokens"

FOUND_BY = {
    known.found_by.column: known
    for known in FOUND
    if known.found_by is not None and known.kept is Kept.SEALED
}
"""The fields that are found by a column of the household, by that column."""

_INDEXES = (*FOUND_BY, "content_index", "name_tokens")
_OPEN = [known.name for known in OPEN]

# Locked as for a new key, and passed over where somebody holds one: this waits for nobody.
_HOUSEHOLDS = f"""
    SELECT id, {", ".join([*_OPEN, *_INDEXES])}, person_sealed
    FROM registry.household
    WHERE id > $1 AND erased_at IS NULL
    ORDER BY id LIMIT $2
    FOR UPDATE SKIP LOCKED
"""
_COUNT_HOUSEHOLDS = "SELECT count(*) FROM registry.household WHERE erased_at IS NULL"
_ACCOUNTS = """
    SELECT id, household_id, provider_code, account_sealed, account_index
    FROM registry.payee_account
    WHERE household_id = ANY($1)
    FOR UPDATE
"""


def _set(names: Sequence[str]) -> str:
    """Each of these columns as it is given; of an array of arrays, PostgreSQL would make one."""
    return ", ".join(
        f"{name} = given.{name}" + ("::bigint[]" if name == _TOKENS else "") for name in names
    )


def _arrays(names: Sequence[str]) -> str:
    return ", ".join(
        f"${at}::{'text' if name == _TOKENS else 'bytea'}[]" for at, name in enumerate(names, 2)
    )


def _given(indexes: Sequence[Indexes]) -> list[list[Any]]:
    columns = [list(column) for column in zip(*indexes, strict=True)]
    columns[-1] = [
        None if tokens is None else f"{{{','.join(map(str, tokens))}}}" for tokens in columns[-1]
    ]
    return columns


_STORE_HOUSEHOLDS = f"""
    UPDATE registry.household AS kept
    SET {_set(_INDEXES)}
    FROM unnest($1::uuid[], {_arrays(_INDEXES)})
        AS given (id, {", ".join(_INDEXES)})
    WHERE kept.id = given.id
"""
_STORE_ACCOUNTS = """
    UPDATE registry.payee_account AS kept SET account_index = given.account_index
    FROM unnest($1::uuid[], $2::bytea[]) AS given (id, account_index)
    WHERE kept.id = given.id
"""
MEMBER_FOUND_BY = {
    known.found_by.column: known for known in member.FOUND if known.found_by is not None
}
"""The fields of a member that are found by a column, by that column."""
_MEMBER_INDEXES = (*MEMBER_FOUND_BY, "content_index", "name_tokens")
_OF_A_MEMBER = [*(known.name for known in member.OPEN), *_MEMBER_INDEXES]
_MEMBERS = f"""
    SELECT id, household_id, {", ".join(_OF_A_MEMBER)}, person_sealed,
           ARRAY(SELECT programme_code FROM registry.programme_membership AS membership
                 WHERE membership.member_id = member.id AND until IS NULL
                 ORDER BY programme_code) AS programmes
    FROM registry.member WHERE household_id = ANY($1)
    FOR UPDATE
"""
_STORE_MEMBERS = f"""
    UPDATE registry.member AS kept
    SET {_set(_MEMBER_INDEXES)}
    FROM unnest($1::uuid[], {_arrays(_MEMBER_INDEXES)})
        AS given (id, {", ".join(_MEMBER_INDEXES)})
    WHERE kept.id = given.id
"""


async def count_households(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM registry.household WHERE erased_at IS NULL"
    )
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


async def members_of(
    connection: asyncpg.Connection, household_ids: Sequence[UUID]
) -> Sequence[asyncpg.Record]:
    """Everybody who is or was a member of these households, with the programmes of now."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(_MEMBERS, household_ids)
    return rows


def indexes_of_member(row: asyncpg.Record) -> Indexes:
    """What a member is stored with."""
    return [row[name] for name in _MEMBER_INDEXES]


async def store_members(
    connection: asyncpg.Connection, given: Sequence[tuple[UUID, Indexes]]
) -> None:
    """Store what these members are found and compared by."""
    columns = _given([indexes for _, indexes in given])
    await connection.execute(_STORE_MEMBERS, [id for id, _ in given], *columns)


def indexes_of(household: asyncpg.Record) -> Indexes:
    """What a household is stored with."""
    return [household[name] for name in _INDEXES]


async def store_households(
    connection: asyncpg.Connection, given: Sequence[tuple[UUID, Indexes]]
) -> None:
    """Store what these households are found and compared by."""
    columns = _given([indexes for _, indexes in given])
    await connection.execute(
        _STORE_HOUSEHOLDS, [household_id for household_id, _ in given], *columns
    )


async def store_accounts(
    connection: asyncpg.Connection, given: Sequence[tuple[UUID, bytes]]
) -> None:
    """Store what these accounts are found by."""
    await connection.execute(
        _STORE_ACCOUNTS, [account_id for account_id, _ in given], [index for _, index in given]
    )
