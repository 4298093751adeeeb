"""What is asked of the database about indicators."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.indicators.tables import Indicator
from shared.choosing import one_of

_DUE = text(
    """
    WITH longest AS (
        SELECT judge_at, calendar ->> 'frequency' = 'event' AS is_event
        FROM triggers.indicator
        WHERE judge_at <= :now
        ORDER BY judge_at, code
        LIMIT 1
    )
    SELECT indicator.code
    FROM triggers.indicator
    JOIN longest ON longest.is_event = (indicator.calendar ->> 'frequency' = 'event')
        AND (longest.is_event OR longest.judge_at = indicator.judge_at)
    WHERE indicator.judge_at <= :now
    ORDER BY indicator.judge_at, indicator.code
    LIMIT :limit
    """
)

_FIRST_RECORDED_AFTER = text(
    """
    SELECT given.code, news.at
    FROM unnest(CAST(:indicators AS text[])) AS given (code)
    CROSS JOIN LATERAL (
        SELECT least(
            (SELECT min(recorded_at) FROM triggers.observation
             WHERE indicator_code = given.code AND recorded_at > :known_at),
            (SELECT min(decided_at) FROM triggers.doubtful_observation
             WHERE indicator_code = given.code AND decided_at > :known_at
               AND decision = 'released' AND sequence IS NOT NULL)
        ) AS at
    ) AS news
    WHERE news.at IS NOT NULL
    """
)

_SET_JUDGE_AT = text(
    """
    UPDATE triggers.indicator
    SET judge_at = given.judge_at
    FROM unnest(CAST(:indicators AS text[]), CAST(:instants AS timestamptz[]))
        AS given (code, judge_at)
    WHERE indicator.code = given.code
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


async def find_due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[str]:
    """The indicator that has been due longest, and those that are judged by the same knowledge.

    Of indicators of events these are all that are due; of others those due since the same instant.
    """
    return (await session.scalars(_DUE, {"now": now, "limit": limit})).all()


async def count_due(session: AsyncSession, *, now: datetime) -> tuple[int, int, datetime | None]:
    """How many indicators wait to be judged, of how many that cannot be, and since when one does.

    Whatever cannot be judged waits, though it is put off.
    """
    due_at = case((Indicator.judge_at <= now, Indicator.judge_at))
    row = (
        await session.execute(
            select(
                func.count(),
                func.count(Indicator.failing_since),
                func.min(func.least(due_at, Indicator.failing_since)),
            ).where((Indicator.judge_at <= now) | Indicator.failing_since.is_not(None))
        )
    ).one()
    return row[0], row[1], row[2]


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


async def set_judge_at(session: AsyncSession, instants: Mapping[str, datetime | None]) -> None:
    """Keep when indicators are judged next, by their codes."""
    await session.execute(
        _SET_JUDGE_AT, {"indicators": list(instants), "instants": list(instants.values())}
    )


async def set_failing(session: AsyncSession, codes: Collection[str], *, since: datetime) -> None:
    """Keep that these cannot be judged; since earlier, where they could not before."""
    await session.execute(
        update(Indicator)
        .where(_is_of(codes))
        .values(failing_since=func.least(Indicator.failing_since, since))
        .execution_options(synchronize_session=False)
    )


async def end_failing(session: AsyncSession, codes: Collection[str]) -> None:
    """Keep that these can be judged."""
    await session.execute(
        update(Indicator)
        .where(_is_of(codes), Indicator.failing_since.is_not(None))
        .values(failing_since=None)
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
    session: AsyncSession, codes: Collection[str], known_at: datetime
) -> dict[str, datetime]:
    """When the first figure was recorded, or released, that did not count at an instant.

    By indicator; without those that have none.
    """
    rows = await session.execute(
        _FIRST_RECORDED_AFTER, {"indicators": sorted(codes), "known_at": known_at}
    )
    return {row.code: row.at for row in rows}


def _is_of(codes: Collection[str]) -> ColumnElement[bool]:
    """Whether an indicator is one of many: one parameter, however many they are."""
    return one_of(Indicator.code, sorted(codes))
