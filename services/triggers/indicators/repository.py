"""What is asked of the database about indicators."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, any_, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.indicators.tables import Indicator

_FIRST_RECORDED_AFTER = text(
    """
    SELECT min(at)
    FROM (
        SELECT recorded_at AS at FROM triggers.observation
        WHERE indicator_code = :indicator AND recorded_at > :known_at
        UNION ALL
        SELECT decided_at FROM triggers.doubtful_observation
        WHERE indicator_code = :indicator AND decided_at > :known_at
          AND decision = 'released' AND sequence IS NOT NULL
    ) AS news
    """
)


async def find_indicator(session: AsyncSession, code: str) -> Indicator | None:
    return await session.scalar(select(Indicator).where(Indicator.code == code))


async def list_readings(session: AsyncSession, codes: Collection[str]) -> Sequence[Row[Any]]:
    """Of these indicators what their figures are read by: code, calendar, forecast."""
    statement = select(Indicator.code, Indicator.calendar, Indicator.forecast).where(_is_of(codes))
    return (await session.execute(statement)).all()


async def add_indicator(session: AsyncSession, indicator: dict[str, object]) -> Indicator | None:
    """The new row, or None where the code is taken."""
    statement = insert(Indicator).values(indicator).on_conflict_do_nothing().returning(Indicator)
    return (await session.scalars(statement)).one_or_none()


async def list_indicators(
    session: AsyncSession, *, after: str | None, limit: int
) -> list[Indicator]:
    statement = select(Indicator).order_by(Indicator.code).limit(limit)
    if after is not None:
        statement = statement.where(Indicator.code > after)
    return list(await session.scalars(statement))


async def find_due(session: AsyncSession, *, now: datetime) -> str | None:
    """The indicator that has been due longest."""
    statement = (
        select(Indicator.code)
        .where(Indicator.judge_at <= now)
        .order_by(Indicator.judge_at, Indicator.code)
        .limit(1)
    )
    code: str | None = await session.scalar(statement)
    return code


async def lock(session: AsyncSession, codes: Collection[str]) -> Sequence[Indicator]:
    """These indicators as committed, for this transaction alone until it ends; by code."""
    statement = (
        select(Indicator)
        .where(_is_of(codes))
        .order_by(Indicator.code)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def set_judged_until(
    session: AsyncSession, codes: Collection[str], *, known_at: datetime
) -> None:
    """Let whatever is recorded from now on be known later than an instant."""
    await session.execute(
        update(Indicator)
        .where(_is_of(codes))
        .values(judged_until=func.greatest(Indicator.judged_until, known_at))
        .execution_options(synchronize_session=False)
    )


async def set_judge_at(session: AsyncSession, code: str, *, judge_at: datetime | None) -> None:
    await session.execute(
        update(Indicator)
        .where(Indicator.code == code)
        .values(judge_at=judge_at)
        .execution_options(synchronize_session=False)
    )


async def judge_by(session: AsyncSession, codes: Collection[str], *, at: datetime) -> None:
    """Have these judged at an instant, unless they are before."""
    await session.execute(
        update(Indicator)
        .where(_is_of(codes))
        .values(judge_at=func.least(Indicator.judge_at, at))
        .execution_options(synchronize_session=False)
    )


async def first_recorded_after(
    session: AsyncSession, code: str, known_at: datetime
) -> datetime | None:
    """When the first figure was recorded, or released, that did not count at an instant."""
    first: datetime | None = await session.scalar(
        _FIRST_RECORDED_AFTER, {"indicator": code, "known_at": known_at}
    )
    return first


def _is_of(codes: Collection[str]) -> ColumnElement[bool]:
    """Whether an indicator is one of many: one parameter, however many they are."""
    return Indicator.code == any_(literal(sorted(codes), ARRAY(Text)))
