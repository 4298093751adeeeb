"""Schemes in the database, beyond what every versioned document is asked."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.schemes.tables import SchemeVersion


async def codes(session: AsyncSession) -> frozenset[str]:
    """The codes of all schemes that are posted."""
    return frozenset((await session.scalars(select(SchemeVersion.code).distinct())).all())
