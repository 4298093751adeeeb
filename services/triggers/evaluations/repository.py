"""What is asked of the database about evaluations, and about standings to tell on from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.evaluations.tables import Evaluation
from services.triggers.methods.trigger_stage import TriggerStage

_LOCK = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended('triggers.evaluation/' || code, 0))
    FROM (SELECT code FROM unnest(CAST(:triggers AS text[])) AS code ORDER BY code) AS ordered
    """
)

_STANDINGS = text(
    """
    SELECT DISTINCT ON (standing.trigger_code)
           standing.trigger_code, CAST(standing.standing AS text) AS standing
    FROM unnest(CAST(:triggers AS text[]), CAST(:versions AS integer[]))
        AS wanted (trigger_code, trigger_version)
    JOIN triggers.trigger_standing AS standing USING (trigger_code, trigger_version)
    WHERE standing.told_by = :told_by AND standing.known_at <= :known_at
      AND standing.told_to < :on
      AND NOT EXISTS (
          SELECT FROM triggers.trigger_leg AS leg
          JOIN triggers.observation AS figure ON figure.indicator_code = leg.indicator_code
          WHERE (leg.trigger_code, leg.trigger_version)
              = (standing.trigger_code, standing.trigger_version)
            AND figure.recorded_at > standing.known_at AND figure.recorded_at <= :known_at
            AND (figure.published_on <= standing.told_to
                 OR figure.observed_on
                    < CAST(standing.standing -> 'begun_on' ->> leg.position AS date))
      )
      AND NOT EXISTS (
          SELECT FROM triggers.trigger_leg AS leg
          JOIN triggers.doubtful_observation AS doubt ON doubt.indicator_code = leg.indicator_code
          JOIN triggers.observation AS figure ON figure.sequence = doubt.sequence
          WHERE (leg.trigger_code, leg.trigger_version)
              = (standing.trigger_code, standing.trigger_version)
            AND (doubt.decision = 'released'
                    AND doubt.decided_at > standing.known_at AND doubt.decided_at <= :known_at
                 OR figure.recorded_at <= standing.known_at
                    AND doubt.set_aside_at > standing.known_at AND doubt.set_aside_at <= :known_at)
      )
    ORDER BY standing.trigger_code, standing.told_to DESC
    """
)

_PUBLISHED = text(
    """
    SELECT given.indicator_code
    FROM unnest(
        CAST(:indicators AS text[]), CAST(:after AS date[]), CAST(:until AS date[]),
        CAST(:begin_at AS timestamptz[])
    ) AS given (indicator_code, after, until, begin_at)
    WHERE EXISTS (
        SELECT FROM triggers.observation AS figure
        WHERE figure.indicator_code = given.indicator_code
          AND figure.recorded_at >= given.begin_at AND figure.recorded_at <= :known_at
          AND figure.published_on > given.after AND figure.published_on <= given.until
    )
    """
)

_KEEP_STANDINGS = text(
    """
    INSERT INTO triggers.trigger_standing
        (trigger_code, trigger_version, told_to, known_at, told_by, standing)
    SELECT trigger_code, trigger_version, told_to, :known_at, :told_by, CAST(standing AS jsonb)
    FROM unnest(
        CAST(:triggers AS text[]), CAST(:versions AS integer[]), CAST(:told_to AS date[]),
        CAST(:standings AS text[])
    ) AS given (trigger_code, trigger_version, told_to, standing)
    ON CONFLICT (trigger_code, trigger_version, told_to) DO UPDATE
        SET known_at = excluded.known_at, told_by = excluded.told_by, standing = excluded.standing
        WHERE trigger_standing.known_at <= excluded.known_at
    """
)

_FORGET_STANDINGS = text(
    """
    DELETE FROM triggers.trigger_standing AS standing
    USING unnest(CAST(:triggers AS text[]), CAST(:versions AS integer[]))
        AS given (trigger_code, trigger_version)
    WHERE standing.trigger_code = given.trigger_code
      AND (standing.trigger_version < given.trigger_version OR standing.told_to < :oldest)
    """
)


@dataclass(frozen=True, kw_only=True)
class KeptStanding:
    """A standing as it is kept."""

    trigger_code: str
    trigger_version: int
    told_to: date
    standing: str
    """As JSON."""


@dataclass(frozen=True, kw_only=True)
class Days:
    """Days on which figures of an indicator may have been published."""

    indicator: str
    after: date
    """The day before the first of them."""
    until: date
    begin_at: datetime
    """When the first begins: nothing is recorded before the day on which it is published."""


async def lock_triggers(session: AsyncSession, triggers: Collection[str]) -> None:
    """Evaluations of one trigger follow each other, whichever worker makes them."""
    await session.execute(_LOCK, {"triggers": sorted(triggers)})


async def find_standings(
    session: AsyncSession,
    versions: Mapping[str, int],
    *,
    on: date,
    known_at: datetime,
    told_by: str,
) -> dict[str, str]:
    """By trigger, as JSON: its latest standing before a day that still holds at an instant.

    It does as long as nothing became known since of days that were told, or was set aside of them,
    and no figure of a leg is of a day before its first. Versions are given by trigger.
    """
    rows = await session.execute(
        _STANDINGS,
        {
            "triggers": list(versions),
            "versions": list(versions.values()),
            "on": on,
            "known_at": known_at,
            "told_by": told_by,
        },
    )
    return {row.trigger_code: row.standing for row in rows}


async def find_published(
    session: AsyncSession, days: Sequence[Days], *, known_at: datetime
) -> frozenset[str]:
    """Those indicators of which a figure of these days was known at an instant."""
    return frozenset(
        await session.scalars(
            _PUBLISHED,
            {
                "indicators": [each.indicator for each in days],
                "after": [each.after for each in days],
                "until": [each.until for each in days],
                "begin_at": [each.begin_at for each in days],
                "known_at": known_at,
            },
        )
    )


async def keep_standings(
    session: AsyncSession,
    standings: Sequence[KeptStanding],
    *,
    known_at: datetime,
    told_by: str,
    oldest: date,
) -> None:
    """Keep standings, unless more is known of one already; forget those of days before `oldest`."""
    if not standings:
        return
    versions = {standing.trigger_code: standing.trigger_version for standing in standings}
    await session.execute(
        _FORGET_STANDINGS,
        {"triggers": list(versions), "versions": list(versions.values()), "oldest": oldest},
    )
    await session.execute(
        _KEEP_STANDINGS,
        {
            "triggers": [standing.trigger_code for standing in standings],
            "versions": [standing.trigger_version for standing in standings],
            "told_to": [standing.told_to for standing in standings],
            "standings": [standing.standing for standing in standings],
            "known_at": known_at,
            "told_by": told_by,
        },
    )


async def kept(session: AsyncSession, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of ``ids`` that were evaluated before."""
    statement = select(Evaluation.id).where(Evaluation.id == any_(literal(list(ids), ARRAY(Uuid))))
    return frozenset(await session.scalars(statement))


async def add_evaluations(session: AsyncSession, evaluations: Sequence[dict[str, object]]) -> None:
    if evaluations:
        await session.execute(insert(Evaluation).on_conflict_do_nothing(), evaluations)


async def list_evaluations(
    session: AsyncSession,
    trigger: str,
    *,
    stage: TriggerStage | None,
    below: tuple[object, ...] | None,
    limit: int,
) -> list[Evaluation]:
    """A trigger's evaluations, newest first."""
    order = (Evaluation.evaluated_at, Evaluation.judged_on, Evaluation.id)
    statement = (
        select(Evaluation)
        .where(Evaluation.trigger_code == trigger)
        .order_by(*(column.desc() for column in order))
        .limit(limit)
    )
    if stage is not None:
        statement = statement.where(Evaluation.stage == stage)
    if below is not None:
        statement = statement.where(tuple_(*order) < below)
    return list(await session.scalars(statement))


async def list_with_knowledge(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> list[Evaluation]:
    """Evaluations of which it is kept what was known, by id."""
    statement = (
        select(Evaluation)
        .where(Evaluation.known_at.is_not(None))
        .order_by(Evaluation.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Evaluation.id > after)
    return list(await session.scalars(statement))


async def count_without_knowledge(session: AsyncSession) -> int:
    """How many are from before it was kept."""
    statement = select(func.count()).where(Evaluation.known_at.is_(None))
    return await session.scalar(statement) or 0
