"""What is asked of the database about backtests."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from services.triggers.backtests.states import BacktestState
from services.triggers.backtests.tables import Backtest
from services.triggers.observations.tables import Observation

_CLAIM = text(
    """
    UPDATE triggers.backtest
    SET state = 'running', attempts = attempts + 1, steps_done = 0,
        look_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE id = (
        SELECT id FROM triggers.backtest
        WHERE look_at <= clock_timestamp()
        ORDER BY look_at
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, attempts
    """
)


async def add(session: AsyncSession, backtest: dict[str, object]) -> Backtest:
    statement = insert(Backtest).values(backtest).returning(Backtest)
    return (await session.scalars(statement)).one()


async def find(session: AsyncSession, backtest_id: UUID) -> Backtest | None:
    return await session.scalar(select(Backtest).where(Backtest.id == backtest_id))


async def list_backtests(
    session: AsyncSession,
    *,
    trigger: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Backtest]:
    """Backtests without what was asked and what came of it, newest first."""
    statement = (
        select(Backtest)
        .options(defer(Backtest.asked, raiseload=True), defer(Backtest.report, raiseload=True))
        .order_by(Backtest.asked_at.desc(), Backtest.id.desc())
        .limit(limit)
    )
    if trigger is not None:
        statement = statement.where(Backtest.trigger_code == trigger)
    if before is not None:
        statement = statement.where(tuple_(Backtest.asked_at, Backtest.id) < before)
    return list(await session.scalars(statement))


async def count_waiting(session: AsyncSession) -> int:
    """How many are not done."""
    statement = select(func.count()).where(Backtest.look_at.is_not(None))
    return (await session.scalar(statement)) or 0


async def claim(session: AsyncSession, *, lease_seconds: float) -> Row[Any] | None:
    """The one that has waited longest, leased: id and attempts; None: none waits."""
    return (await session.execute(_CLAIM, {"lease_seconds": lease_seconds})).one_or_none()


async def progress(session: AsyncSession, claim: Row[Any], *, lease_seconds: float) -> bool:
    """Keep that a step is done, and the lease; whether it still is this worker's."""
    kept = await session.execute(
        update(Backtest)
        .where(_is(claim))
        .values(
            steps_done=Backtest.steps_done + 1,
            look_at=func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, lease_seconds),
        )
        .returning(Backtest.id)
        .execution_options(synchronize_session=False)
    )
    return kept.one_or_none() is not None


async def finish(
    session: AsyncSession, claim: Row[Any], report: dict[str, Any], *, at: datetime
) -> None:
    await _end(session, claim, state=BacktestState.FINISHED, report=report, finished_at=at)


async def fail(session: AsyncSession, claim: Row[Any], because: str, *, at: datetime) -> None:
    await _end(session, claim, state=BacktestState.FAILED, failure=because, finished_at=at)


async def count_figures(session: AsyncSession, indicators: Collection[str]) -> int:
    """How many figures are recorded of some indicators, in every revision."""
    statement = select(func.count()).where(Observation.indicator_code.in_(indicators))
    return (await session.scalar(statement)) or 0


async def _end(session: AsyncSession, claim: Row[Any], **values: object) -> None:
    await session.execute(
        update(Backtest)
        .where(_is(claim))
        .values(steps_done=Backtest.steps, look_at=None, **values)
        .execution_options(synchronize_session=False)
    )


def _is(claim: Row[Any]) -> Any:
    """What a worker claimed and no other has since."""
    return (Backtest.id == claim.id) & (Backtest.attempts == claim.attempts)
