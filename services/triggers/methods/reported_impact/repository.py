"""What is asked of the database about reports."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.methods.reported_impact.series import Report

_REPORTS = text(
    """
    SELECT DISTINCT ON (observed_on, area_code, place, source)
           area_code, source, observed_on, revision, value
    FROM triggers.observation
    WHERE indicator_code = :indicator AND observed_on >= :reported_from
    ORDER BY observed_on, area_code, place, source, revision DESC
    """
)


async def reports(session: AsyncSession, indicator: str, *, reported_from: date) -> list[Report]:
    """Households by area and authority, each report in its latest revision."""
    rows = await session.execute(_REPORTS, {"indicator": indicator, "reported_from": reported_from})
    return [
        Report(
            area=row.area_code,
            source=row.source,
            reported_on=row.observed_on,
            revision=row.revision,
            households=None if row.value is None else int(row.value),
        )
        for row in rows
    ]
