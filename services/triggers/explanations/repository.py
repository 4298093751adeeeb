"""What is asked of the database to say why."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful.repository import is_doubted
from services.triggers.evaluations.tables import Evaluation
from services.triggers.observations.tables import Observation


async def find_evaluation(
    session: AsyncSession, trigger: str, evaluation_id: UUID
) -> Evaluation | None:
    statement = select(Evaluation).where(
        Evaluation.id == evaluation_id, Evaluation.trigger_code == trigger
    )
    return await session.scalar(statement)


async def evaluations_of(
    session: AsyncSession,
    trigger: str,
    activation_id: UUID,
    *,
    until: datetime | None,
    limit: int,
) -> list[Evaluation]:
    """The evaluations about an activation of a trigger: the first, and the latest; oldest first.

    Those of a moment or before, where one is given.
    """
    about = [Evaluation.trigger_code == trigger, Evaluation.activation_id == activation_id]
    if until is not None:
        about.append(Evaluation.evaluated_at <= until)
    first = select(Evaluation).where(*about).order_by(Evaluation.id).limit(1)
    latest = select(Evaluation).where(*about).order_by(Evaluation.id.desc()).limit(limit - 1)
    found = {row.id: row for row in await session.scalars(first)}
    found |= {row.id: row for row in await session.scalars(latest)}
    return [found[evaluation_id] for evaluation_id in sorted(found)]


async def count_figures(
    session: AsyncSession,
    indicator: str,
    *,
    observed_from: date,
    observed_to: date,
    known_until: datetime,
) -> int:
    known = _known(indicator, observed_from, observed_to, known_until)
    return await session.scalar(select(func.count()).where(*known)) or 0


async def sources_known(
    session: AsyncSession,
    indicator: str,
    *,
    observed_from: date,
    observed_to: date,
    known_until: datetime,
) -> Sequence[str]:
    """Who had published them, by name."""
    known = _known(indicator, observed_from, observed_to, known_until)
    statement = select(Observation.source).where(*known).distinct().order_by(Observation.source)
    return (await session.scalars(statement)).all()


async def figures_known(
    session: AsyncSession,
    indicator: str,
    *,
    observed_from: date,
    observed_to: date,
    known_until: datetime,
    limit: int,
) -> Sequence[Row[Any]]:
    """Every revision of the latest days' figures that had been recorded by then, oldest first."""
    statement = (
        select(
            Observation.area_code.label("area"),
            func.nullif(Observation.place, "").label("place"),
            Observation.source,
            Observation.observed_on,
            Observation.published_on,
            Observation.recorded_at,
            Observation.revision,
            Observation.value,
        )
        .where(*_known(indicator, observed_from, observed_to, known_until))
        .order_by(Observation.observed_on.desc(), Observation.sequence.desc())
        .limit(limit)
    )
    return (await session.execute(statement)).all()[::-1]


def _known(
    indicator: str, observed_from: date, observed_to: date, known_until: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        Observation.indicator_code == indicator,
        Observation.observed_on.between(observed_from, observed_to),
        Observation.recorded_at <= known_until,
        ~is_doubted(Observation.sequence, at=known_until),
    )
