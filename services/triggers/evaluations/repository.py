"""What is asked of the database about evaluations."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.evaluations.tables import Evaluation
from services.triggers.methods.trigger_stage import TriggerStage


async def lock_trigger(session: AsyncSession, trigger: str) -> None:
    """Evaluations of one trigger follow each other, whichever worker makes them."""
    key = func.hashtextextended(f"triggers.evaluation/{trigger}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def kept(session: AsyncSession, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of ``ids`` that were evaluated before."""
    return frozenset(await session.scalars(select(Evaluation.id).where(Evaluation.id.in_(ids))))


async def add_evaluations(session: AsyncSession, evaluations: Sequence[dict[str, object]]) -> None:
    if evaluations:
        await session.execute(insert(Evaluation).on_conflict_do_nothing(), evaluations)


async def list_evaluations(
    session: AsyncSession,
    trigger: str,
    *,
    stage: TriggerStage | None,
    below: tuple[object, ...] | None,
    limit: int,
) -> list[Evaluation]:
    """A trigger's evaluations, newest first."""
    order = (Evaluation.evaluated_at, Evaluation.judged_on, Evaluation.id)
    statement = (
        select(Evaluation)
        .where(Evaluation.trigger_code == trigger)
        .order_by(*(column.desc() for column in order))
        .limit(limit)
    )
    if stage is not None:
        statement = statement.where(Evaluation.stage == stage)
    if below is not None:
        statement = statement.where(tuple_(*order) < below)
    return list(await session.scalars(statement))


async def list_with_knowledge(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> list[Evaluation]:
    """Evaluations of which it is kept what was known, by id."""
    statement = (
        select(Evaluation)
        .where(Evaluation.known_at.is_not(None))
        .order_by(Evaluation.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Evaluation.id > after)
    return list(await session.scalars(statement))


async def count_without_knowledge(session: AsyncSession) -> int:
    """How many are from before it was kept."""
    statement = select(func.count()).where(Evaluation.known_at.is_(None))
    return await session.scalar(statement) or 0
