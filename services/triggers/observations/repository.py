"""What is asked of the database about observations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, DateTime, Row, Text, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.triggers.doubtful.repository import is_doubted
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Period
from services.triggers.observations.schemas import ObservationIn, Wanted
from services.triggers.observations.tables import Observation

_RECORD = text(
    """
    WITH given AS (
        SELECT *, CASE WHEN CAST(:forecast AS boolean) THEN published_on END AS issued_on
        FROM unnest(
            CAST(:areas AS text[]), CAST(:places AS text[]), CAST(:sources AS text[]),
            CAST(:observed AS date[]), CAST(:published AS date[]), CAST(:issues AS integer[]),
            CAST(:members AS integer[]), CAST(:given AS numeric[]), CAST(:details AS text[]),
            CAST(:said_values AS numeric[]), CAST(:said_units AS text[])
        ) WITH ORDINALITY
            AS row (area_code, place, source, observed_on, published_on, issue, member, value,
                    details, said_value, said_unit, position)
    ),
    known AS (
        SELECT given.*, coalesce(earlier.revisions, 0) AS revisions
        FROM given
        LEFT JOIN LATERAL (
            SELECT max(observation.revision) AS revisions,
                   bool_or((observation.published_on, observation.issue)
                           = (given.published_on, given.issue)
                       AND observation.value IS NOT DISTINCT FROM given.value
                       AND observation.details IS NOT DISTINCT FROM CAST(given.details AS jsonb))
                       AS is_known
            FROM triggers.observation
            WHERE (indicator_code, observed_on, area_code, place, source)
                = (:indicator, given.observed_on, given.area_code, given.place, given.source)
              AND observation.issued_on IS NOT DISTINCT FROM given.issued_on
              AND observation.member IS NOT DISTINCT FROM given.member
        ) AS earlier ON true
        WHERE earlier.is_known IS NOT TRUE
    ),
    recorded AS (
        INSERT INTO triggers.observation (
            indicator_code, forecast, observed_on, area_code, place, source, revision,
            value, said_value, said_unit, published_on, issue, member, details, recorded_at,
            posted_by, published, approved_by, released
        )
        SELECT :indicator, CAST(:forecast AS boolean), observed_on, area_code, place, source,
               revisions + row_number() OVER (
                   PARTITION BY observed_on, area_code, place, source, issued_on, member
                   ORDER BY published_on, issue, position
               ),
               value, said_value, said_unit, published_on, issue, member,
               CAST(details AS jsonb), :recorded_at, :posted_by, :by_publisher,
               CAST(:approved_by AS text), :released
        FROM known
        ORDER BY position
        RETURNING observed_on
    )
    SELECT count(*) AS rows, min(observed_on) AS first_on, max(observed_on) AS last_on
    FROM recorded
    """
)

_KNOWN_AS_THEY_ARE = text(
    """
    SELECT given.position
    FROM unnest(
        CAST(:areas AS text[]), CAST(:places AS text[]), CAST(:sources AS text[]),
        CAST(:observed AS date[]), CAST(:published AS date[]), CAST(:issues AS integer[]),
        CAST(:members AS integer[]), CAST(:given AS numeric[]), CAST(:details AS text[])
    ) WITH ORDINALITY
        AS given (area_code, place, source, observed_on, published_on, issue, member, value,
                  details, position)
    WHERE EXISTS (
        SELECT FROM triggers.observation
        WHERE (indicator_code, observed_on, area_code, place, source)
            = (:indicator, given.observed_on, given.area_code, given.place, given.source)
          AND (observation.published_on, observation.issue) = (given.published_on, given.issue)
          AND observation.member IS NOT DISTINCT FROM given.member
          AND observation.value IS NOT DISTINCT FROM given.value
          AND observation.details IS NOT DISTINCT FROM CAST(given.details AS jsonb)
    )
    """
)

_LATEST_ISSUES = text(
    """
    SELECT given.position, max(observation.issue) AS issue
    FROM unnest(
        CAST(:areas AS text[]), CAST(:places AS text[]), CAST(:sources AS text[]),
        CAST(:observed AS date[]), CAST(:published AS date[]), CAST(:members AS integer[])
    ) WITH ORDINALITY
        AS given (area_code, place, source, observed_on, published_on, member, position)
    JOIN triggers.observation
        ON (observation.indicator_code, observation.observed_on, observation.area_code,
            observation.place, observation.source, observation.published_on)
         = (:indicator, given.observed_on, given.area_code, given.place, given.source,
            given.published_on)
        AND observation.member IS NOT DISTINCT FROM given.member
    GROUP BY given.position
    """
)

_FIGURES = text(
    """
    SELECT indicator_code, area_code AS area, nullif(place, '') AS place, source, observed_on,
           published_on, CAST(value AS double precision) AS value, member, issue, details
    FROM triggers.observation
    WHERE indicator_code = ANY(CAST(:indicators AS text[])) AND recorded_at <= :known_at
      AND sequence <> ALL (CAST(:without AS bigint[]))
      AND NOT EXISTS (
          SELECT FROM triggers.doubtful_observation AS doubt
          WHERE doubt.sequence = observation.sequence AND doubt.set_aside_at <= :known_at
            AND (doubt.decision IS DISTINCT FROM 'released' OR doubt.decided_at > :known_at)
      )
    """
)

_WITH_FIGURES = text(
    """
    SELECT code
    FROM unnest(CAST(:indicators AS text[])) AS code
    WHERE EXISTS (
        SELECT FROM triggers.observation
        WHERE indicator_code = code AND recorded_at <= :known_at
          AND NOT EXISTS (
              SELECT FROM triggers.doubtful_observation AS doubt
              WHERE doubt.sequence = observation.sequence AND doubt.set_aside_at <= :known_at
                AND (doubt.decision IS DISTINCT FROM 'released' OR doubt.decided_at > :known_at)
          )
    )
    """
)


_COLUMNS = (
    Observation.sequence,
    Observation.indicator_code.label("indicator"),
    Observation.area_code.label("area"),
    func.nullif(Observation.place, "").label("place"),
    Observation.source,
    Observation.observed_on,
    Observation.published_on,
    Observation.value,
    Observation.said_value,
    Observation.said_unit,
    Observation.issue,
    Observation.member,
    Observation.details,
    Observation.revision,
    Observation.recorded_at,
    Observation.posted_by,
    Observation.published,
    Observation.approved_by,
)

_ABOVE_ANY_VALUE = Decimal(10) ** 12
_EVER = text("CAST('-infinity' AS timestamptz)")

_PERSONS_BEHIND = text(
    """
    SELECT DISTINCT person
    FROM (
        SELECT indicator_code, observed_on, posted_by, approved_by, NULL AS decided_by
        FROM triggers.observation
        UNION ALL
        SELECT indicator_code, observed_on, posted_by, approved_by, decided_by
        FROM triggers.doubtful_observation
        WHERE decision = 'released'
    ) AS figure
    CROSS JOIN LATERAL (VALUES (posted_by), (approved_by), (decided_by)) AS hand (person)
    WHERE indicator_code = :indicator AND observed_on BETWEEN :first_on AND :last_on
      AND person IS NOT NULL
    """
)

_POSTED_ALONE = text(
    """
    SELECT EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (figure.observed_on, area_code, place, source, issued_on, member)
                   figure.published, coalesce(figure.approved_by, doubt.decided_by) AS approved_by
            FROM triggers.observation AS figure
            LEFT JOIN triggers.doubtful_observation AS doubt ON doubt.sequence = figure.sequence
            WHERE figure.indicator_code = :indicator
              AND figure.observed_on BETWEEN :first_on AND :last_on
              AND (doubt.id IS NULL OR doubt.decision = 'released')
            ORDER BY figure.observed_on, area_code, place, source, issued_on, member,
                     published_on DESC, issue DESC, value NULLS LAST
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
    released: bool = False
    """Whether the second person released them, doubtful as they were: they are not screened."""


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
    """Append what is not known yet, by one statement; the order in a batch does not matter.

    What is published again on another day, or as another issue, is a further word on the same
    thing; what was said before, and is sent again, changes nothing. Batches of one indicator
    follow each other: the caller holds it.
    """
    row = (
        await session.execute(
            _RECORD,
            {
                "indicator": indicator,
                "forecast": forecast,
                **_in_columns(observations),
                "said_values": [row.said and row.said.value for row in observations],
                "said_units": [row.said and row.said.unit for row in observations],
                "recorded_at": recorded_at,
                "posted_by": hands.posted_by,
                "by_publisher": hands.published,
                "approved_by": hands.approved_by,
                "released": hands.released,
            },
        )
    ).one()
    return Recorded(count=row.rows, first_on=row.first_on, last_on=row.last_on)


async def known_as_they_are(
    session: AsyncSession, indicator: str, rows: Sequence[ObservationIn]
) -> set[int]:
    """Which rows are recorded to the last detail, by their positions from 0."""
    found = await session.execute(_KNOWN_AS_THEY_ARE, {"indicator": indicator, **_in_columns(rows)})
    return {row.position - 1 for row in found}


def _in_columns(rows: Sequence[ObservationIn]) -> dict[str, list[Any]]:
    """Rows as one array for each column."""
    return {
        "areas": [row.area for row in rows],
        "places": [row.place or "" for row in rows],
        "sources": [row.source for row in rows],
        "observed": [row.observed_on for row in rows],
        "published": [row.published_on for row in rows],
        "issues": [row.issue for row in rows],
        "members": [row.member for row in rows],
        "given": [row.value for row in rows],
        "details": [
            None if row.details is None else orjson.dumps(row.details).decode() for row in rows
        ],
    }


async def as_latest_issues(
    session: AsyncSession, indicator: str, rows: Sequence[ObservationIn]
) -> list[ObservationIn]:
    """The rows, each as an issue after those that are known of the same day of publication."""
    found = await session.execute(
        _LATEST_ISSUES,
        {
            "indicator": indicator,
            "areas": [row.area for row in rows],
            "places": [row.place or "" for row in rows],
            "sources": [row.source for row in rows],
            "observed": [row.observed_on for row in rows],
            "published": [row.published_on for row in rows],
            "members": [row.member for row in rows],
        },
    )
    latest = {row.position - 1: row.issue for row in found}
    return [
        row.model_copy(update={"issue": max(row.issue, latest[position] + 1)})
        if position in latest
        else row
        for position, row in enumerate(rows)
    ]


async def figures(
    session: AsyncSession,
    forecasts: Mapping[str, bool],
    *,
    known_at: datetime,
    without: Collection[int] = (),
) -> dict[str, Figures]:
    """Every figure of some indicators in every revision that was known at an instant.

    ``forecasts`` says of each indicator whether it is one. What was set aside by then counts again
    once it is released. Rows of the sequences ``without`` are left out.
    """
    rows = await session.execute(
        _FIGURES,
        {"indicators": sorted(forecasts), "known_at": known_at, "without": list(without)},
    )
    found: dict[str, list[Figure]] = {indicator: [] for indicator in forecasts}
    for indicator, *figure in rows:
        found[indicator].append(Figure(*figure))
    return {
        indicator: Figures.of(figures, forecast=forecasts[indicator])
        for indicator, figures in found.items()
    }


async def with_figures(
    session: AsyncSession, indicators: Collection[str], *, known_at: datetime
) -> frozenset[str]:
    """Those of the indicators of which a figure was known at an instant."""
    values = {"indicators": sorted(indicators), "known_at": known_at}
    return frozenset(await session.scalars(_WITH_FIGURES, values))


async def unscreened(
    session: AsyncSession, after: Mapping[str, datetime | None], *, until: datetime
) -> Sequence[Row[Any]]:
    """What was recorded until an instant, and nobody released before it was.

    ``after`` says of each indicator since when; None: ever. By indicator, oldest first.
    """
    codes = literal(list(after), ARRAY(Text))
    instants = literal(list(after.values()), ARRAY(DateTime(timezone=True)))
    given = func.unnest(codes, instants).table_valued("indicator_code", "after", name="given")
    given = given.render_derived()
    statement = (
        select(*_COLUMNS)
        .join_from(given, Observation, Observation.indicator_code == given.c.indicator_code)
        .where(
            Observation.recorded_at > func.coalesce(given.c.after, _EVER),
            Observation.recorded_at <= until,
            Observation.released.is_(False),
        )
        .order_by(Observation.indicator_code, Observation.recorded_at, Observation.sequence)
    )
    return (await session.execute(statement)).all()


async def by_sequence(session: AsyncSession, sequences: Collection[int]) -> Sequence[Row[Any]]:
    """Rows in the order in which they were recorded."""
    statement = select(*_COLUMNS).where(Observation.sequence.in_(sequences))
    return (await session.execute(statement.order_by(Observation.sequence))).all()


async def persons_behind(session: AsyncSession, indicator: str, period: Period) -> Sequence[str]:
    """Who posted, approved or released a figure of these days, in any revision.

    Publishers' clients are among them.
    """
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
        select(*_COLUMNS, is_doubted(Observation.sequence).label("doubtful"))
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
        statement = statement.where(~is_doubted(Observation.sequence), ~_is_revised())
    return (await session.execute(statement)).all()


def _is_revised() -> ColumnElement[bool]:
    """Whether another word on the same thing counts, as `Figures.known_on` has it."""
    other = aliased(Observation)
    return (
        select(other.sequence)
        .where(
            other.indicator_code == Observation.indicator_code,
            other.observed_on == Observation.observed_on,
            other.area_code == Observation.area_code,
            other.place == Observation.place,
            other.source == Observation.source,
            other.issued_on.is_not_distinct_from(Observation.issued_on),
            other.member.is_not_distinct_from(Observation.member),
            _rank(other) > _rank(Observation),
            ~is_doubted(other.sequence),
        )
        .exists()
    )


def _rank(row: type[Observation]) -> ColumnElement[Any]:
    smaller = -func.coalesce(row.value, _ABOVE_ANY_VALUE)
    return tuple_(row.published_on, row.issue, smaller, row.revision)
