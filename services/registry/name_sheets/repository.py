"""SQL of sheets of names: the households of entitlements."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.tables import Entitlement
from services.registry.households.tables import Household
from shared.bounds import Bound, within
from shared.choosing import one_of


async def households_of(
    session: AsyncSession, entitlement_ids: Collection[UUID], *, bound: Bound
) -> Mapping[UUID, Household]:
    """The household of each of these entitlements, as it is registered today."""
    rows = await session.execute(
        select(Entitlement.id, Household)
        .join(Household, Household.id == Entitlement.household_id)
        .where(one_of(Entitlement.id, entitlement_ids), within(bound, Household.area_code))
    )
    return {row[0]: row[1] for row in rows}
