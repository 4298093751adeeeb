"""What is asked of the database about doubtful figures, and about those that are known."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.triggers.doubtful.tables import DoubtDecision, DoubtfulObservation
from services.triggers.quality.doubt import DoubtReason
from services.triggers.quality.figure import PostedFigure

_KNOWN = text(
    """
    SELECT area_code, nullif(place, ''), source, observed_on, published_on,
           CAST(value AS double precision), issue, member, sequence,
           released OR EXISTS (
               SELECT FROM triggers.doubtful_observation AS doubt
               WHERE doubt.sequence = observation.sequence
           ) AS vouched
    FROM triggers.observation
    WHERE indicator_code = :indicator AND observed_on BETWEEN :first_on AND :last_on
      AND (CAST(:published AS date[]) IS NULL OR published_on = ANY(CAST(:published AS date[])))
      AND (recorded_at <= :before OR released AND recorded_at <= :known_at)
      AND NOT EXISTS (
          SELECT FROM triggers.doubtful_observation AS doubt
          WHERE doubt.sequence = observation.sequence
            AND (doubt.decision IS DISTINCT FROM 'released' OR doubt.decided_at > :known_at)
      )
    """
)


@dataclass(frozen=True, kw_only=True)
class KnownFigure:
    """A figure that counts, and which row it is."""

    figure: PostedFigure
    sequence: int
    is_vouched: bool
    """Whether a person released it, doubtful as it was."""


async def known_figures(
    session: AsyncSession,
    indicator: str,
    *,
    first_on: date,
    last_on: date,
    published: Collection[date] | None,
    before: datetime | None,
    known_at: datetime,
) -> list[KnownFigure]:
    """Every figure of these days, in every revision; of those published then, unless None.

    What was recorded until `before`, or released until `known_at`, without what is doubtful then.
    """
    days = {
        "indicator": indicator,
        "first_on": first_on,
        "last_on": last_on,
        "published": None if published is None else sorted(published),
        "before": before,
        "known_at": known_at,
    }
    return [
        KnownFigure(figure=PostedFigure(*row[:-2]), sequence=row.sequence, is_vouched=row.vouched)
        for row in await session.execute(_KNOWN, days)
    ]


def is_doubted(
    sequence: ColumnElement[int] | InstrumentedAttribute[int], *, at: datetime | None = None
) -> ColumnElement[bool]:
    """Whether an observation is set aside and was not released; at an instant, or now."""
    statement = select(DoubtfulObservation.id).where(DoubtfulObservation.sequence == sequence)
    is_unreleased = DoubtfulObservation.decision.is_distinct_from(DoubtDecision.RELEASED)
    if at is None:
        return statement.where(is_unreleased).exists()
    return statement.where(
        DoubtfulObservation.set_aside_at <= at,
        is_unreleased | (DoubtfulObservation.decided_at > at),
    ).exists()


async def decisions(
    session: AsyncSession, indicator: str, digests: Collection[bytes]
) -> dict[bytes, DoubtDecision | None]:
    """What was decided about rows that were set aside before; None: they wait."""
    rows = await session.execute(
        select(DoubtfulObservation.digest, DoubtfulObservation.decision).where(
            DoubtfulObservation.indicator_code == indicator,
            DoubtfulObservation.digest == any_(literal(sorted(digests), ARRAY(BYTEA))),
        )
    )
    return {row.digest: row.decision for row in rows}


async def set_aside(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> Sequence[DoubtReason]:
    """Keep rows; the reasons of those that are new."""
    if not rows:
        return []
    statement = (
        insert(DoubtfulObservation).on_conflict_do_nothing().returning(DoubtfulObservation.reason)
    )
    return (await session.scalars(statement, rows)).all()


async def set_aside_since(
    session: AsyncSession, indicator: str, *, after: datetime | None
) -> Sequence[int]:
    """The recorded rows that are doubtful from an instant after this one on, and wait."""
    statement = select(DoubtfulObservation.sequence).where(
        DoubtfulObservation.indicator_code == indicator,
        DoubtfulObservation.sequence.is_not(None),
        DoubtfulObservation.decision.is_(None),
    )
    if after is not None:
        statement = statement.where(DoubtfulObservation.set_aside_at > after)
    return [sequence for sequence in await session.scalars(statement) if sequence is not None]


async def lock(session: AsyncSession, ids: Collection[UUID]) -> Sequence[DoubtfulObservation]:
    """Doubtful figures, locked in the order in which they were set aside."""
    statement = (
        select(DoubtfulObservation)
        .where(DoubtfulObservation.id.in_(ids))
        .order_by(DoubtfulObservation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def unplaced_spellings(session: AsyncSession) -> Sequence[str]:
    """How the places are spelt that nobody knows yet."""
    spelling = DoubtfulObservation.posted["place"].astext
    return (await session.scalars(select(spelling).where(*_unplaced()).distinct())).all()


async def lock_unplaced(
    session: AsyncSession, spellings: Collection[str], *, limit: int
) -> Sequence[DoubtfulObservation]:
    """Those that wait for a place that is spelt so to be known, locked, the oldest first."""
    statement = (
        select(DoubtfulObservation)
        .where(*_unplaced(), DoubtfulObservation.posted["place"].astext.in_(spellings))
        .order_by(DoubtfulObservation.id)
        .limit(limit)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


def _unplaced() -> tuple[ColumnElement[bool], ...]:
    return (
        DoubtfulObservation.decision.is_(None),
        DoubtfulObservation.reason == DoubtReason.PLACE_UNKNOWN,
    )


async def decide(
    session: AsyncSession,
    ids: Collection[UUID],
    decision: DoubtDecision,
    *,
    by: str,
    at: datetime,
    reason: str,
) -> None:
    """Keep what was decided about locked ones."""
    await session.execute(
        update(DoubtfulObservation)
        .where(DoubtfulObservation.id.in_(ids), DoubtfulObservation.decision.is_(None))
        .values(decision=decision, decided_by=by, decided_at=at, decision_reason=reason)
        .execution_options(synchronize_session=False)
    )


async def doubt_anew(
    session: AsyncSession, doubtful_id: UUID, *, reason: DoubtReason, says: str
) -> None:
    """Keep that one is doubtful for another reason than before."""
    await session.execute(
        update(DoubtfulObservation)
        .where(DoubtfulObservation.id == doubtful_id)
        .values(reason=reason, says=says, suggested_place=None)
        .execution_options(synchronize_session=False)
    )


async def find(session: AsyncSession, doubtful_id: UUID) -> DoubtfulObservation | None:
    statement = select(DoubtfulObservation).where(DoubtfulObservation.id == doubtful_id)
    return (
        await session.scalars(statement, execution_options={"populate_existing": True})
    ).one_or_none()


async def list_doubtful(
    session: AsyncSession,
    *,
    decision: DoubtDecision | None,
    indicator: str | None,
    reason: DoubtReason | None,
    set_aside_before: datetime | None,
    after: UUID | None,
    limit: int,
) -> Sequence[DoubtfulObservation]:
    """Doubtful figures that were decided so, oldest first; None: those that wait."""
    statement = (
        select(DoubtfulObservation)
        .where(DoubtfulObservation.decision.is_not_distinct_from(decision))
        .order_by(DoubtfulObservation.id)
        .limit(limit)
    )
    if indicator is not None:
        statement = statement.where(DoubtfulObservation.indicator_code == indicator)
    if reason is not None:
        statement = statement.where(DoubtfulObservation.reason == reason)
    if set_aside_before is not None:
        statement = statement.where(DoubtfulObservation.set_aside_at < set_aside_before)
    if after is not None:
        statement = statement.where(DoubtfulObservation.id > after)
    return (await session.scalars(statement)).all()


async def waiting_by_reason(
    session: AsyncSession, indicator: str | None = None
) -> Sequence[tuple[DoubtReason, int, datetime]]:
    """How many figures wait, by reason, and since when the oldest does; None: of all indicators."""
    statement = (
        select(
            DoubtfulObservation.reason,
            func.count(),
            func.min(DoubtfulObservation.set_aside_at),
        )
        .where(DoubtfulObservation.decision.is_(None))
        .group_by(DoubtfulObservation.reason)
        .order_by(DoubtfulObservation.reason)
    )
    if indicator is not None:
        statement = statement.where(DoubtfulObservation.indicator_code == indicator)
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]
