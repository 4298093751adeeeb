"""What is asked of the database about indicators."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.indicators.tables import Indicator


async def find_indicator(session: AsyncSession, code: str) -> Indicator | None:
    return await session.scalar(select(Indicator).where(Indicator.code == code))


async def add_indicator(session: AsyncSession, indicator: dict[str, object]) -> Indicator | None:
    """The new row, or None where the code is taken."""
    statement = insert(Indicator).values(indicator).on_conflict_do_nothing().returning(Indicator)
    return (await session.scalars(statement)).one_or_none()


async def list_indicators(
    session: AsyncSession, *, after: str | None, limit: int
) -> list[Indicator]:
    statement = select(Indicator).order_by(Indicator.code).limit(limit)
    if after is not None:
        statement = statement.where(Indicator.code > after)
    return list(await session.scalars(statement))
