"""Households and members as exports read them: some at a time, by id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.shape import OPEN
from services.registry.households.tables import Household, PayeeAccount
from services.registry.members.shape import OPEN as OPEN_OF_MEMBER
from services.registry.members.tables import Member
from shared.bounds import Bound, within


async def read_households(
    session: AsyncSession,
    *,
    bound: Bound,
    area: Bound,
    changed_since: datetime | None,
    after: UUID,
    limit: int,
    shown: ColumnElement[bool],
) -> Sequence[Any]:
    """The next households, by id, with the provider of the account that each has now, and whether
    their persons are ``shown``."""
    query: Select[Any] = (
        select(
            Household.id,
            *(getattr(Household, field.name) for field in OPEN),
            Household.members_listed,
            PayeeAccount.provider_code,
            Household.changed_at,
            Household.person_sealed,
            shown.label("shown"),
        )
        .outerjoin(
            PayeeAccount,
            and_(PayeeAccount.household_id == Household.id, PayeeAccount.ended_at.is_(None)),
        )
        .where(
            Household.id > after,
            within(bound, Household.area_code),
            within(area, Household.area_code),
        )
    )
    if changed_since is not None:
        query = query.where(Household.changed_at >= changed_since)
    rows: Sequence[Any] = (await session.execute(query.order_by(Household.id).limit(limit))).all()
    return rows


async def read_members(
    session: AsyncSession,
    *,
    bound: Bound,
    area: Bound,
    changed_since: datetime | None,
    after: UUID,
    limit: int,
    shown: ColumnElement[bool],
) -> Sequence[Any]:
    """The next members, by id, also those who have left, and whether they are ``shown`` as
    persons."""
    query: Select[Any] = (
        select(
            Member.id,
            Member.household_id,
            Household.area_code,
            *(getattr(Member, field.name) for field in OPEN_OF_MEMBER),
            Member.joined_on,
            Member.left_on,
            Member.left_because,
            Member.changed_at,
            Member.person_sealed,
            shown.label("shown"),
        )
        .join(Household, Household.id == Member.household_id)
        .where(
            Member.id > after,
            within(bound, Household.area_code),
            within(area, Household.area_code),
        )
    )
    if changed_since is not None:
        query = query.where(Member.changed_at >= changed_since)
    rows: Sequence[Any] = (await session.execute(query.order_by(Member.id).limit(limit))).all()
    return rows
