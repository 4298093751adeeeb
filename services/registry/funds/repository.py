"""Funds in the database."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.funds.tables import Fund

UNBOUNDED_MINOR = 2**63 - 1
"""What a household may get of a fund whose bound nobody told."""


async def keep_bound(session: AsyncSession, code: str, **bound: Any) -> None:
    """Bring a fund to this bound; ``bound`` is the table's other columns."""
    given = insert(Fund).values(code=code, **bound)
    await session.execute(given.on_conflict_do_update(index_elements=[Fund.code], set_=bound))


async def find_fund(session: AsyncSession, code: str) -> Fund | None:
    """The fund with this code, if its bound was told."""
    return await session.scalar(select(Fund).where(Fund.code == code))


async def fund_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of the funds that payments told of; empty: it told of none yet."""
    return frozenset((await session.scalars(select(Fund.code))).all())


async def maximum_payment_minor(session: AsyncSession, code: str) -> int:
    """The most that one household may get of a fund in one round."""
    found = await session.scalar(select(Fund.maximum_payment_minor).where(Fund.code == code))
    return UNBOUNDED_MINOR if found is None else found
