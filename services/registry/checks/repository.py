"""What an activation would come to, asked of the database."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments import statements
from services.registry.schemes.document import SchemeDocument


async def estimate(
    session: AsyncSession, document: SchemeDocument, communes: Collection[str]
) -> tuple[int, int]:
    """How many households of these communes a scheme would pay, and what in one round."""
    rows = await session.execute(statements.estimate(document), {"area_codes": sorted(communes)})
    households, minor = rows.one()
    return households, int(minor or 0)
