"""What an activation would come to, asked of the database."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import Area
from services.registry.households.tables import Household
from services.registry.schemes.benefit import compile_benefit, compile_eligibility
from services.registry.schemes.document import SchemeDocument


async def estimate(
    session: AsyncSession, document: SchemeDocument, communes: Collection[str]
) -> tuple[int, int]:
    """How many households of these communes a scheme would pay, and what in one round."""
    amount = compile_benefit(document).amount_minor
    statement = (
        select(func.count(amount), func.coalesce(func.sum(amount), 0))
        .select_from(Household)
        .join(Area, Area.code == Household.area_code)
        .where(Household.area_code.in_(communes), compile_eligibility(document))
    )
    households, minor = (await session.execute(statement)).one()
    return households, int(minor)
