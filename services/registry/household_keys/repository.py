"""What households have of their own to be sealed with, in the database, some at a time.

Whoever gives a household its material, or destroys it, holds the household's row: nobody waits for
another here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import LargeBinary, Uuid

from services.registry.household_keys.tables import HouseholdKey
from shared.copying import EncodedRows, copy_encoded, encoded_columns
from shared.personal_data import new_materials

Materials = Mapping[UUID, bytes | None]
"""What households have of their own; None: it was destroyed. Who is not in it has none yet."""

_OF_SOME = text(
    "SELECT household_id, material FROM registry.household_key WHERE household_id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_READ = "SELECT household_id, material FROM registry.household_key WHERE household_id = ANY($1)"
_MISSING = text(
    """
    SELECT given.id FROM unnest(:ids) AS given (id)
    WHERE NOT EXISTS (SELECT FROM registry.household_key WHERE household_id = given.id)
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_GIVE = text(
    """
    INSERT INTO registry.household_key (household_id, material)
    SELECT * FROM unnest(:ids, :materials)
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("materials", type_=ARRAY(LargeBinary)))
_DESTROY = text(
    """
    INSERT INTO registry.household_key (household_id, destroyed_at)
    SELECT id, :at FROM unnest(:ids) AS given (id)
    ON CONFLICT (household_id) DO UPDATE SET material = NULL, destroyed_at = excluded.destroyed_at
    WHERE household_key.material IS NOT NULL
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("at", type_=DateTime(timezone=True)))
# Held first, in one order: who is erased meanwhile is not held.
_HOLD = """
    SELECT id FROM registry.household WHERE id = ANY($1) AND erased_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
"""
_GIVE_ON = """
    INSERT INTO registry.household_key (household_id, material)
    SELECT * FROM unnest($1::uuid[], $2::bytea[])
"""


class KeysChanged(Exception):
    """Households were erased since what they are sealed with was read."""


async def materials_of(session: AsyncSession, household_ids: Collection[UUID]) -> Materials:
    """What these households have of their own."""
    rows = await session.execute(_OF_SOME, {"ids": list(household_ids)})
    return {row[0]: row[1] for row in rows}


async def materials_on(
    connection: asyncpg.Connection, household_ids: Collection[UUID]
) -> dict[UUID, bytes | None]:
    """What these households have of their own, on a connection."""
    rows = await connection.fetch(_READ, list(household_ids))
    return {row[0]: row[1] for row in rows}


async def give_missing(session: AsyncSession, household_ids: Collection[UUID]) -> None:
    """Have each of these households have something of its own; the caller holds their rows."""
    missing = (await session.scalars(_MISSING, {"ids": list(household_ids)})).all()
    if missing:
        materials = new_materials(len(missing))
        await session.execute(_GIVE, {"ids": missing, "materials": materials})


async def give_missing_on(
    connection: asyncpg.Connection, household_ids: Sequence[UUID]
) -> dict[UUID, bytes | None]:
    """The same on a connection; what they have then."""
    known = await materials_on(connection, household_ids)
    missing = [id for id in household_ids if id not in known]
    if missing:
        given = new_materials(len(missing))
        await connection.execute(_GIVE_ON, missing, given)
        known.update(zip(missing, given, strict=True))
    return known


async def hold_on(connection: asyncpg.Connection, household_ids: Collection[UUID]) -> None:
    """Have nobody erase these households until the commit; raises KeysChanged."""
    if household_ids:
        held = await connection.fetch(_HOLD, list(household_ids))
        if len(held) < len(household_ids):
            raise KeysChanged


def encoded_materials(materials: Mapping[UUID, bytes]) -> EncodedRows:
    """What is given to households, ready to be stored: to be kept only where they have none."""
    return encoded_columns(
        HouseholdKey,
        {"household_id": list(materials), "material": list(materials.values())},
    )


async def copy_on(connection: asyncpg.Connection, materials: Mapping[UUID, bytes]) -> None:
    """Keep what is given to households; raises asyncpg.UniqueViolationError where one has some."""
    await copy_encoded(connection, encoded_materials(materials))


async def destroy(session: AsyncSession, household_ids: Collection[UUID], *, at: datetime) -> None:
    """Destroy what these households have of their own; the caller holds their rows."""
    await session.execute(_DESTROY, {"ids": list(household_ids), "at": at})
