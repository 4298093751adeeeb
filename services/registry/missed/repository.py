"""Whom an activation missed, in the database."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments import statements
from services.registry.enrolments.statements import Further
from services.registry.further_enrolments.repository import values_of
from services.registry.households.tables import Household
from services.registry.schemes.document import SchemeDocument
from shared.bounds import Bound, codes_of, within_text

Place = tuple[str, UUID, int]
"""Commune, household and round: the order of the missed."""

_WHY = """
    CASE
        WHEN entitlement.reason LIKE 'suspect%' THEN 'suspected'
        WHEN entitlement.status = 'unpayable' AND entitlement.reason = 'no-payee-account'
            THEN 'no-account'
        WHEN entitlement.status = 'failed' THEN 'bad-account'
        WHEN entitlement.status = 'unpayable'
            AND entitlement.reason IN ('unknown-provider', 'other-currency') THEN 'bad-account'
        WHEN entitlement.status IN ('unpayable', 'refused') THEN 'set-aside'
    END
"""
# Only chunks in which somebody is unpaid are looked into.
_MISSED = f"""
    SELECT entitlement.household_id, entitlement.area_code, entitlement.round,
           entitlement.amount_minor, entitlement.status, entitlement.reason, {_WHY} AS why
    FROM registry.entitlement
    WHERE entitlement.chunk_id IN (
            SELECT id FROM registry.entitlement_chunk
            WHERE activation_id = :activation_id AND home_chunk_id IS NULL
              AND unpayable_count + failed_count + refused_count + excluded_count > 0)
      AND entitlement.status IN ('unpayable', 'failed', 'refused', 'excluded')
      AND starts_with(entitlement.area_code, :area)
      AND {within_text("entitlement.area_code")}
      -- A household that moved on is not theirs any more, whom it was enrolled in.
      AND (CAST(:bound AS text[]) IS NULL OR EXISTS (
          SELECT FROM registry.household
          WHERE household.id = entitlement.household_id AND {within_text("household.area_code")}))
"""
_COUNTS = text(
    f"""
    SELECT why, count(DISTINCT household_id) AS households,
           sum(amount_minor)::bigint AS amount_minor
    FROM ({_MISSED}) AS missed WHERE why IS NOT NULL GROUP BY why
    """
)
_LISTED = text(
    f"""
    SELECT household_id, area_code, round, amount_minor, status, reason
    FROM ({_MISSED}) AS missed
    WHERE why = :why
      AND (area_code, household_id, round)
          > (:after_area COLLATE "C", CAST(:after_household AS uuid), :after_round)
    ORDER BY area_code, household_id, round
    LIMIT :limit
    """
)
_BEFORE_ALL: Place = ("", UUID(int=0), 0)


async def count_missed(
    session: AsyncSession, activation_id: UUID, *, area: str, bound: Bound
) -> dict[str, tuple[int, int]]:
    """Households and money by reason, of whom is enrolled."""
    rows = await session.execute(
        _COUNTS, {"activation_id": activation_id, "area": area, "bound": codes_of(bound)}
    )
    return {row.why: (row.households, row.amount_minor) for row in rows.all()}


async def list_missed(
    session: AsyncSession,
    activation_id: UUID,
    why: str,
    *,
    area: str,
    bound: Bound,
    after: Place | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Entitlements that did not reach a household for one reason, after one of them."""
    after_area, after_household, after_round = after or _BEFORE_ALL
    rows = await session.execute(
        _LISTED,
        {
            "activation_id": activation_id,
            "why": why,
            "area": area,
            "bound": codes_of(bound),
            "after_area": after_area,
            "after_household": after_household,
            "after_round": after_round,
            "limit": limit,
        },
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def list_late(
    session: AsyncSession,
    document: SchemeDocument,
    activation_id: UUID,
    communes: Collection[str],
    *,
    known_until: datetime,
    as_of: date,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Late registrants by commune and id, after one of them: id, commune, members, amount."""
    query = statements.not_enrolled(document, Further.LATE)
    if after is not None:
        query = query.where(tuple_(Household.area_code, Household.id) > after)
    rows = await session.execute(
        query.order_by(Household.area_code, Household.id).limit(limit),
        values_of(activation_id, communes, known_until, None, as_of),
    )
    found: Sequence[Row[Any]] = rows.all()
    return found
