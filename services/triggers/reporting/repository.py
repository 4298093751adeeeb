"""What is asked of the database about who reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.quality.reporting import Reporter

_LAST = text(
    """
    SELECT observed_on, published_on, recorded_at
    FROM triggers.observation
    WHERE indicator_code = :indicator AND value IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM triggers.doubtful_observation AS doubt
          WHERE doubt.sequence = observation.sequence
            AND doubt.decision IS DISTINCT FROM 'released'
      )
    ORDER BY observed_on DESC, published_on DESC, sequence DESC
    LIMIT 1
    """
)

_REPORTED = text(
    """
    SELECT DISTINCT area_code, nullif(place, '') AS place, observed_on
    FROM triggers.observation
    WHERE indicator_code = :indicator AND value IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM triggers.doubtful_observation AS doubt
          WHERE doubt.sequence = observation.sequence
            AND doubt.decision IS DISTINCT FROM 'released'
      )
      AND observed_on > (
          SELECT max(observed_on) FROM triggers.observation
          WHERE indicator_code = :indicator AND value IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM triggers.doubtful_observation AS doubt
                WHERE doubt.sequence = observation.sequence
                  AND doubt.decision IS DISTINCT FROM 'released'
            )
      ) - CAST(:days AS integer)
    """
)


@dataclass(frozen=True, kw_only=True)
class LastFigure:
    """The latest figure of an indicator."""

    observed_on: date
    published_on: date
    recorded_at: datetime


async def last_figure(session: AsyncSession, indicator: str) -> LastFigure | None:
    row = (await session.execute(_LAST, {"indicator": indicator})).one_or_none()
    if row is None:
        return None
    return LastFigure(
        observed_on=row.observed_on, published_on=row.published_on, recorded_at=row.recorded_at
    )


async def reported(
    session: AsyncSession, indicator: str, *, days: int
) -> Sequence[tuple[Reporter, date]]:
    """Which places had a figure on which of the last days before the latest figure."""
    rows = await session.execute(_REPORTED, {"indicator": indicator, "days": days})
    return [(Reporter(row.area_code, row.place), row.observed_on) for row in rows]
