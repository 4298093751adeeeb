"""What is asked of the database about evaluations."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.evaluations.tables import Evaluation
from services.triggers.methods.trigger_stage import TriggerStage


async def is_evaluated(session: AsyncSession, *, event_id: UUID, trigger: str) -> bool:
    """Whether the trigger was evaluated when the event was worked before."""
    statement = select(
        select(Evaluation.id)
        .where(Evaluation.event_id == event_id, Evaluation.trigger_code == trigger)
        .exists()
    )
    return bool(await session.scalar(statement))


async def add_evaluation(session: AsyncSession, evaluation: dict[str, object]) -> None:
    await session.execute(insert(Evaluation).values(evaluation))


async def list_evaluations(
    session: AsyncSession,
    trigger: str,
    *,
    stage: TriggerStage | None,
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
        statement = statement.where(Evaluation.stage == stage)
    if below is not None:
        statement = statement.where(Evaluation.id < below)
    return list(await session.scalars(statement))
