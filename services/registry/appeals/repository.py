"""Appeals of households, in the database."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.appeals.tables import Appeal, AppealStep
from services.registry.households.tables import Household
from shared.bounds import Bound, within


def _of_households(bound: Bound) -> Select[Appeal]:
    query: Select[Appeal] = select(Appeal)
    if bound is None:
        return query
    return query.join(Household, Household.id == Appeal.household_id).where(
        within(bound, Household.area_code)
    )


async def add_appeal(session: AsyncSession, **fields: Any) -> Appeal | None:
    """The new appeal; None where one of the household is open."""
    added = await session.execute(
        upsert(Appeal).values(fields).on_conflict_do_nothing().returning(Appeal)
    )
    return added.scalar_one_or_none()


async def add_step(session: AsyncSession, appeal_id: UUID, **fields: Any) -> None:
    """Keep what was said about an appeal that is locked, or new."""
    number = select(func.coalesce(func.max(AppealStep.number), 0) + 1).where(
        AppealStep.appeal_id == appeal_id
    )
    await session.execute(
        insert(AppealStep).values(appeal_id=appeal_id, number=number.scalar_subquery(), **fields)
    )


async def lock_appeal(session: AsyncSession, appeal_id: UUID, *, bound: Bound) -> Appeal | None:
    """An appeal, for this transaction alone."""
    return await session.scalar(
        _of_households(bound)
        .where(Appeal.id == appeal_id)
        .with_for_update(of=Appeal)
        .execution_options(populate_existing=True)
    )


async def find_appeal(session: AsyncSession, appeal_id: UUID, *, bound: Bound) -> Appeal | None:
    """The appeal with this id."""
    return await session.scalar(
        _of_households(bound)
        .where(Appeal.id == appeal_id)
        .execution_options(populate_existing=True)
    )


async def decide_appeal(session: AsyncSession, appeal_id: UUID, **fields: Any) -> None:
    """Keep how an appeal is decided."""
    await session.execute(
        update(Appeal)
        .where(Appeal.id == appeal_id, Appeal.decision.is_(None))
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def steps_of(session: AsyncSession, appeal_ids: Sequence[UUID]) -> Sequence[AppealStep]:
    """What was said about appeals, in its order."""
    rows = await session.scalars(
        select(AppealStep)
        .where(AppealStep.appeal_id.in_(appeal_ids))
        .order_by(AppealStep.appeal_id, AppealStep.number)
    )
    return rows.all()


async def list_appeals(
    session: AsyncSession,
    *,
    undecided: bool,
    overdue_on: date | None,
    household_id: UUID | None,
    bound: Bound,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Appeal]:
    """Appeals by the day on which they are due, after one of them."""
    query = _of_households(bound).order_by(Appeal.due_on, Appeal.id).limit(limit)
    if undecided:
        query = query.where(Appeal.decision.is_(None))
    if overdue_on is not None:
        query = query.where(Appeal.decision.is_(None), Appeal.due_on < overdue_on)
    if household_id is not None:
        query = query.where(Appeal.household_id == household_id)
    if after is not None:
        query = query.where(tuple_(Appeal.due_on, Appeal.id) > after)
    return (await session.scalars(query)).all()


async def count_open(session: AsyncSession, *, today: date) -> tuple[int, int]:
    """How many appeals wait for their decision, and how many of them are overdue."""
    row = (
        await session.execute(
            select(func.count(), func.count().filter(Appeal.due_on < today)).where(
                Appeal.decision.is_(None)
            )
        )
    ).one()
    return row[0], row[1]
