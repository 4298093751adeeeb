"""The sealed persons of households, for their names to be compared."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.tables import Household
from shared.choosing import one_of


async def persons_of(session: AsyncSession, household_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The sealed person of each household that there is."""
    query = select(Household.id, Household.person_sealed).where(one_of(Household.id, household_ids))
    return {row.id: row.person_sealed for row in await session.execute(query)}
