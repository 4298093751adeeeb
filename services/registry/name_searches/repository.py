"""Candidates of a search by name, in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.statements import Bound, within
from services.registry.households.tables import Household
from services.registry.members.tables import Member

# A common token looks to the planner as if the whole table were as quick to read.
_BY_INDEX = text("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")


async def prefer_indexes(session: AsyncSession) -> None:
    """For the rest of the transaction."""
    await session.execute(_BY_INDEX)


async def heads(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Sequence[Row[Any]]:
    """Heads of households who are kept under one of the tokens, as ``(household_id, None,
    person_sealed)``."""
    query: Select[*tuple[Any, ...]] = select(
        Household.id.label("household_id"), Household.person_sealed, Household.area_code
    ).where(
        Household.name_tokens.op("&&")(tokens),
        within(bound, Household.area_code),
        within(area, Household.area_code),
    )
    rows: Sequence[Row[Any]] = (await session.execute(query.limit(limit))).all()
    return rows


async def members(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Sequence[Row[Any]]:
    """Members who are kept under one of the tokens, and have not left."""
    query: Select[*tuple[Any, ...]] = (
        select(Member.household_id, Member.id.label("member_id"), Member.person_sealed)
        .join(Household, Household.id == Member.household_id)
        .where(
            Member.name_tokens.op("&&")(tokens),
            Member.left_on.is_(None),
            within(bound, Household.area_code),
            within(area, Household.area_code),
        )
    )
    rows: Sequence[Row[Any]] = (await session.execute(query.limit(limit))).all()
    return rows
