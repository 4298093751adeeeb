"""Households and payee accounts in the database."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    and_,
    any_,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.statements import Bound, within
from services.registry.areas.tables import CODE
from services.registry.households.fields import Field, Kept
from services.registry.households.shape import PovertyStatus
from services.registry.households.tables import Household, PayeeAccount

Found = Row[Household, PayeeAccount | None]
"""A household with the account that it has now."""


def _with_account(bound: Bound) -> Select[Household, PayeeAccount | None]:
    query: Select[Household, PayeeAccount | None] = select(Household, PayeeAccount)
    return query.outerjoin(
        PayeeAccount,
        and_(PayeeAccount.household_id == Household.id, PayeeAccount.ended_at.is_(None)),
    ).where(within(bound, Household.area_code))


async def find_household(
    session: AsyncSession, household_id: UUID, *, bound: Bound
) -> Found | None:
    """The household with this id."""
    rows = await session.execute(_with_account(bound).where(Household.id == household_id))
    return rows.one_or_none()


async def list_households(
    session: AsyncSession,
    *,
    bound: Bound,
    area_prefix: str,
    poverty_status: PovertyStatus | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Sequence[Found]:
    """Households by commune and id, after one of them; ``area_prefix`` is any area's code."""
    query = _with_account(bound)
    if area_prefix:
        query = query.where(Household.area_code.startswith(area_prefix, autoescape=True))
        # As a range too: it is what the index on the commune is walked by.
        query = query.where(Household.area_code >= area_prefix)
    if poverty_status is not None:
        query = query.where(Household.poverty_status == poverty_status)
    if after is not None:
        query = query.where(tuple_(Household.area_code, Household.id) > after)
    rows = await session.execute(query.order_by(Household.area_code, Household.id).limit(limit))
    return rows.all()


async def search_households(
    session: AsyncSession,
    *,
    bound: Bound,
    by: Field,
    indexes: Sequence[bytes],
    after: UUID | None,
    limit: int,
) -> Sequence[Found]:
    """Households by id whose blind index of a field is among those given."""
    assert by.found_by is not None
    table = PayeeAccount if by.kept is Kept.ACCOUNT else Household
    query = _with_account(bound).where(getattr(table, by.found_by.column).in_(indexes))
    if after is not None:
        query = query.where(Household.id > after)
    rows = await session.execute(query.order_by(Household.id).limit(limit))
    return rows.all()


async def count_by_commune(session: AsyncSession, communes: Collection[str]) -> dict[str, int]:
    """How many households live in each of ``communes``; those without any are left out."""
    rows = await session.execute(
        select(Household.area_code, func.count())
        .where(Household.area_code == any_(literal(list(communes), ARRAY(CODE))))
        .group_by(Household.area_code)
    )
    return dict(rows.all())
