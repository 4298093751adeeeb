"""Households and payee accounts in the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    func,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import COUNTRY_CODE, Area, Level
from services.registry.households.fields import Field, Kept
from services.registry.households.shape import PovertyStatus
from services.registry.households.tables import Household, PayeeAccount
from shared.bounds import Bound, within
from shared.choosing import one_of

Found = Row[Household, PayeeAccount | None]
"""A household with the account that it has now."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which households are listed; what is None does not narrow."""

    area: str | None = None
    poverty_status: PovertyStatus | None = None
    village: str | None = None
    members_from: int | None = None
    members_to: int | None = None
    has_account: bool | None = None
    programme: str | None = None
    changed_since: datetime | None = None


# The transaction of a change may end after one that began later. What is below the oldest that is
# still under way is all there.
_BELOW_FENCE = text("household.changed_in < pg_snapshot_xmin(pg_current_snapshot())")
_AFTER = text(
    "(household.changed_in, household.id) > (CAST(CAST(:transaction AS text) AS xid8), :id)"
).bindparams(bindparam("id", type_=Uuid))
_IN_PROGRAMME = text(
    """
    EXISTS (
        SELECT FROM registry.member
        JOIN registry.programme_membership AS membership ON membership.member_id = member.id
        WHERE member.household_id = household.id AND member.left_on IS NULL
          AND membership.programme_code = :programme AND membership.until IS NULL)
    """
)


# Making the statement takes as long as PostgreSQL takes for what it asks.
_BOUNDS_REMEMBERED = 500


@lru_cache(_BOUNDS_REMEMBERED)
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


async def lock_households(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Household]:
    """Households; until the commit nobody else changes them."""
    rows = await session.scalars(
        select(Household)
        .where(one_of(Household.id, ids))
        .order_by(Household.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows.all()}


async def households_with(
    session: AsyncSession, household_ids: Collection[UUID], *, bound: Bound
) -> dict[UUID, Found]:
    """The households with these ids, by id."""
    rows = await session.execute(_with_account(bound).where(one_of(Household.id, household_ids)))
    return {row[0].id: row for row in rows.all()}


def _chosen(chosen: Chosen, *, bound: Bound) -> Select[Household, PayeeAccount | None]:
    query = _with_account(bound)
    if chosen.area not in (None, COUNTRY_CODE):
        query = query.where(within((str(chosen.area),), Household.area_code))
    if chosen.poverty_status is not None:
        query = query.where(Household.poverty_status == chosen.poverty_status)
    if chosen.village is not None:
        # Its commune too, which the index begins with.
        query = query.where(
            Household.village_code == chosen.village, Household.area_code == chosen.village[:6]
        )
    members = Household.__table__.c.members
    if chosen.members_from is not None:
        query = query.where(members >= chosen.members_from)
    if chosen.members_to is not None:
        query = query.where(members <= chosen.members_to)
    if chosen.has_account is not None:
        has_account = PayeeAccount.id.is_not(None)
        query = query.where(has_account if chosen.has_account else ~has_account)
    if chosen.programme is not None:
        query = query.where(_IN_PROGRAMME.bindparams(programme=chosen.programme))
    if chosen.changed_since is not None:
        query = query.where(Household.changed_at >= chosen.changed_since)
    return query


async def list_households(
    session: AsyncSession,
    chosen: Chosen,
    *,
    bound: Bound,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Sequence[Found]:
    """Households by commune and id, after one of them."""
    query = _chosen(chosen, bound=bound)
    if after is not None:
        query = query.where(tuple_(Household.area_code, Household.id) > after)
    rows = await session.execute(query.order_by(Household.area_code, Household.id).limit(limit))
    return rows.all()


async def list_changed(
    session: AsyncSession,
    chosen: Chosen,
    *,
    bound: Bound,
    after: tuple[int, UUID] | None,
    limit: int,
) -> Sequence[Found]:
    """Households as they changed, after one of them, as far as no earlier change can still
    appear."""
    query = _chosen(chosen, bound=bound).where(_BELOW_FENCE)
    if after is not None:
        query = query.where(_AFTER.bindparams(transaction=str(after[0]), id=after[1]))
    if bound is not None or chosen.area not in (None, COUNTRY_CODE):
        query = _with_account(bound).join(
            first := _first_of_communes(query, chosen, bound=bound, limit=limit),
            first.c.id == Household.id,
        )
    rows = await session.execute(query.order_by(Household.changed_in, Household.id).limit(limit))
    return rows.all()


def _first_of_communes(
    query: Select[*tuple[Any, ...]], chosen: Chosen, *, bound: Bound, limit: int
) -> Subquery:
    """The first by what changed of each commune of an area, and of these the first: whoever walks
    over changes of the country to find those of an area walks far."""
    area = None if chosen.area is None else (str(chosen.area),)
    order = (Household.changed_in, Household.id)
    first = (
        query.with_only_columns(*order)
        .where(Household.area_code == Area.code)
        .order_by(*order)
        .limit(limit)
        .correlate(Area)
        .lateral("first")
    )
    return (
        select(first)
        .select_from(Area)
        .join(first, true())
        .where(
            Area.level == Level.COMMUNE,
            within(bound, Area.code),
            within(None if area == (COUNTRY_CODE,) else area, Area.code),
        )
        .order_by(first.c.changed_in, first.c.id)
        .limit(limit)
        .subquery("first_of_all")
    )


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
        .where(one_of(Household.area_code, communes))
        .group_by(Household.area_code)
    )
    return dict(rows.all())
