"""What is asked of the database about what the registry said."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.checks.tables import KnownArea


async def known_areas(session: AsyncSession, codes: Collection[str]) -> frozenset[str]:
    """Those of ``codes`` that are known to be in the gazetteer."""
    wanted = any_(literal(sorted(codes), ARRAY(Text)))
    return frozenset(
        (await session.scalars(select(KnownArea.code).where(KnownArea.code == wanted))).all()
    )


async def remember_areas(
    session: AsyncSession, codes: Collection[str], *, heard_at: datetime
) -> None:
    """Keep that these are in the gazetteer."""
    if codes:
        await session.execute(
            insert(KnownArea)
            .values([{"code": code, "heard_at": heard_at} for code in sorted(codes)])
            .on_conflict_do_nothing()
        )
