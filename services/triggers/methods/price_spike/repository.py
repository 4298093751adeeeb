"""What is asked of the database about prices."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.methods.price_spike.series import NationalMonth

_NATIONAL_MONTHS = text(
    """
    WITH latest AS (
        SELECT DISTINCT ON (observed_on, area_code, place, source)
               observed_on, area_code, place, value
        FROM triggers.observation
        WHERE indicator_code = :indicator
        ORDER BY observed_on, area_code, place, source, revision DESC
    ),
    market AS (
        SELECT observed_on, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS price
        FROM latest
        WHERE value IS NOT NULL
        GROUP BY observed_on, area_code, place
    )
    SELECT observed_on AS month,
           CAST(round(CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS numeric), 6)
                AS double precision) AS median,
           count(*) AS markets
    FROM market
    GROUP BY observed_on
    ORDER BY observed_on
    """
)


async def national_months(session: AsyncSession, indicator: str) -> list[NationalMonth]:
    """The median over markets for each month with a price, from the latest revisions.

    A market that two sources report counts once, at the median of the two.
    """
    rows = await session.execute(_NATIONAL_MONTHS, {"indicator": indicator})
    return [NationalMonth(month=row.month, median=row.median, markets=row.markets) for row in rows]
