"""What is asked of the database about observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.triggers.methods.judgement import Period
from services.triggers.observations.schemas import ObservationIn, Wanted
from services.triggers.observations.tables import Observation

# Two batches of one indicator follow each other: else both could make the same revision.
_ONE_BATCH_AT_A_TIME = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('triggers.observation/' || :indicator, 0))"
)

_RECORD = text(
    """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:areas AS text[]), CAST(:places AS text[]), CAST(:sources AS text[]),
            CAST(:observed AS date[]), CAST(:published AS date[]), CAST(:given AS numeric[])
        ) WITH ORDINALITY
            AS row (area_code, place, source, observed_on, published_on, value, position)
    ),
    recorded AS (
        INSERT INTO triggers.observation (
            indicator_code, forecast, observed_on, area_code, place, source, revision,
            value, published_on, recorded_at, posted_by, published, approved_by
        )
        SELECT :indicator, CAST(:forecast AS boolean), given.observed_on, given.area_code,
               given.place, given.source, coalesce(latest.revision, 0) + 1, given.value,
               given.published_on, :recorded_at, :posted_by, :by_publisher,
               CAST(:approved_by AS text)
        FROM given
        LEFT JOIN LATERAL (
            SELECT observation.revision, observation.value
            FROM triggers.observation
            WHERE (indicator_code, observed_on, area_code, place, source)
                = (:indicator, given.observed_on, given.area_code, given.place, given.source)
              AND (issued_on IS NULL OR issued_on = given.published_on)
            ORDER BY observation.revision DESC
            LIMIT 1
        ) AS latest ON true
        WHERE latest.revision IS NULL OR latest.value IS DISTINCT FROM given.value
        ORDER BY given.position
        RETURNING observed_on
    )
    SELECT count(*) AS rows, min(observed_on) AS first_on, max(observed_on) AS last_on
    FROM recorded
    """
)


_PERSONS_BEHIND = text(
    """
    SELECT DISTINCT person
    FROM triggers.observation
    CROSS JOIN LATERAL (VALUES (posted_by), (approved_by)) AS hand (person)
    WHERE indicator_code = :indicator AND observed_on BETWEEN :first_on AND :last_on
      AND person IS NOT NULL
    """
)

_POSTED_ALONE = text(
    """
    SELECT EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (observed_on, area_code, place, source, issued_on)
                   published, approved_by
            FROM triggers.observation
            WHERE indicator_code = :indicator AND observed_on BETWEEN :first_on AND :last_on
            ORDER BY observed_on, area_code, place, source, issued_on, revision DESC
        ) AS latest
        WHERE NOT published AND approved_by IS NULL
    )
    """
)


@dataclass(frozen=True, kw_only=True)
class Hands:
    """By whose hands figures come: a publisher's own client, or a person and a second one."""

    posted_by: str
    published: bool = False
    approved_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """How many rows were new, and the dates between which they lie (None when none was)."""

    count: int
    first_on: date | None
    last_on: date | None


async def record(
    session: AsyncSession,
    indicator: str,
    observations: Sequence[ObservationIn],
    *,
    forecast: bool,
    recorded_at: datetime,
    hands: Hands,
) -> Recorded:
    """Append what is new or changed, by one statement. No key may come twice in a batch.

    The day of publication belongs to a forecast's key: tomorrow's is not a revision of today's.
    """
    await session.execute(_ONE_BATCH_AT_A_TIME, {"indicator": indicator})
    row = (
        await session.execute(
            _RECORD,
            {
                "indicator": indicator,
                "forecast": forecast,
                "areas": [row.area for row in observations],
                "places": [row.place or "" for row in observations],
                "sources": [row.source for row in observations],
                "observed": [row.observed_on for row in observations],
                "published": [row.published_on for row in observations],
                "given": [row.value for row in observations],
                "recorded_at": recorded_at,
                "posted_by": hands.posted_by,
                "by_publisher": hands.published,
                "approved_by": hands.approved_by,
            },
        )
    ).one()
    return Recorded(count=row.rows, first_on=row.first_on, last_on=row.last_on)


async def persons_behind(session: AsyncSession, indicator: str, period: Period) -> Sequence[str]:
    """Who posted or approved a figure of these days, in any revision; publishers' clients too."""
    return (await session.scalars(_PERSONS_BEHIND, _days(indicator, period))).all()


async def all_vouched_for(session: AsyncSession, indicator: str, period: Period) -> bool:
    """Whether every figure of these days that counts is a publisher's, or two persons'."""
    return not await session.scalar(_POSTED_ALONE, _days(indicator, period))


def _days(indicator: str, period: Period) -> dict[str, object]:
    return {"indicator": indicator, "first_on": period.first_on, "last_on": period.last_on}


async def list_observations(
    session: AsyncSession, indicator: str, wanted: Wanted, *, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Rows of one indicator in the order in which they were recorded."""
    statement = (
        select(
            Observation.sequence,
            Observation.indicator_code.label("indicator"),
            Observation.area_code.label("area"),
            func.nullif(Observation.place, "").label("place"),
            Observation.source,
            Observation.observed_on,
            Observation.published_on,
            Observation.value,
            Observation.revision,
            Observation.recorded_at,
            Observation.posted_by,
            Observation.published,
            Observation.approved_by,
        )
        .where(Observation.indicator_code == indicator, Observation.sequence > after)
        .order_by(Observation.sequence)
        .limit(limit)
    )
    for column, value in (
        (Observation.area_code, wanted.area),
        (Observation.place, wanted.place),
        (Observation.source, wanted.source),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.observed_from is not None:
        statement = statement.where(Observation.observed_on >= wanted.observed_from)
    if wanted.observed_to is not None:
        statement = statement.where(Observation.observed_on <= wanted.observed_to)
    if not wanted.all_revisions:
        statement = statement.where(~_is_revised())
    return (await session.execute(statement)).all()


def _is_revised() -> ColumnElement[bool]:
    later = aliased(Observation)
    return (
        select(later.sequence)
        .where(
            later.indicator_code == Observation.indicator_code,
            later.observed_on == Observation.observed_on,
            later.area_code == Observation.area_code,
            later.place == Observation.place,
            later.source == Observation.source,
            later.issued_on.is_not_distinct_from(Observation.issued_on),
            later.revision > Observation.revision,
        )
        .exists()
    )
