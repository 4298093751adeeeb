"""Households with their members, to be opened and compared, in the database."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg

_BLOCK_HOUSEHOLDS = 5_000

# A household by its members, and by its head where they are not known one by one.
_READ = """
    WITH block AS (
        SELECT id, area_code, person_sealed, id_number_index, phone_index, members_listed,
               changed_in >= CAST(CAST($3 AS text) AS xid8) AS fresh
        FROM registry.household
        -- Whose persons are of another household, or nobody's any more, is compared with nobody.
        WHERE id > $1 AND merged_into IS NULL AND erased_at IS NULL
        ORDER BY id LIMIT $2
    )
    SELECT block.id AS household_id, member.id AS member_id, area_code,
           coalesce(member.person_sealed, block.person_sealed) AS sealed,
           CASE WHEN members_listed THEN member.id_number_index ELSE block.id_number_index END
               AS id_number_index,
           CASE WHEN members_listed THEN member.phone_index ELSE block.phone_index END
               AS phone_index,
           member.birth_date, member.sex::text AS sex,
           coalesce(member.relationship = 'head', true) AS is_head,
           block.fresh
    FROM block
    LEFT JOIN registry.member ON members_listed AND member.household_id = block.id
        AND member.left_on IS NULL
    ORDER BY block.id, member.member_number
"""


async def blocks(
    connection: asyncpg.Connection, seen: int
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """Everybody, by household; ``fresh`` is whose household changed in the transaction ``seen``, or
    later."""
    after = UUID(int=0)
    while records := await connection.fetch(_READ, after, _BLOCK_HOUSEHOLDS, str(seen)):
        yield records
        after = records[-1]["household_id"]
