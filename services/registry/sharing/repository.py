"""Which of some households agree that their persons are shown."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.tables import Household
from services.registry.sharing.statements import Sharing
from shared.choosing import one_of


async def agreeing(session: AsyncSession, ids: Collection[UUID], sharing: Sharing) -> set[UUID]:
    """Those of the households whose persons may be shown now."""
    if not ids:
        return set()
    rows = await session.scalars(
        select(Household.id).where(one_of(Household.id, set(ids)), sharing.agreed)
    )
    return set(rows)
