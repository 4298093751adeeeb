"""What is asked of the database about evaluations."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.evaluations.tables import Evaluation
from services.triggers.methods.stage import Stage


async def judged_days(session: AsyncSession, *, event_id: UUID, trigger: str) -> set[date]:
    """What was judged already when the event was worked before."""
    statement = select(Evaluation.judged_on).where(
        Evaluation.event_id == event_id, Evaluation.trigger_code == trigger
    )
    return set(await session.scalars(statement))


async def add_evaluation(session: AsyncSession, evaluation: dict[str, object]) -> None:
    await session.execute(insert(Evaluation).values(evaluation))


async def list_evaluations(
    session: AsyncSession,
    trigger: str,
    *,
    stage: Stage | None,
    below: UUID | None,
    limit: int,
) -> list[Evaluation]:
    """A trigger's evaluations, newest first."""
    statement = (
        select(Evaluation)
        .where(Evaluation.trigger_code == trigger)
        .order_by(Evaluation.id.desc())
        .limit(limit)
    )
    if stage is not None:
        statement = statement.where(Evaluation.stage == stage.value)
    if below is not None:
        statement = statement.where(Evaluation.id < below)
    return list(await session.scalars(statement))
