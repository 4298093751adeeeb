"""Households that officers keep out, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.statements import EXCLUDED_BY_AN_OFFICER, READMITTED
from services.registry.enrolments.tables import (
    Entitlement,
    HouseholdExclusion,
)
from services.registry.households.tables import Household
from shared.bounds import Bound, within


async def add_exclusion(session: AsyncSession, **fields: Any) -> HouseholdExclusion | None:
    """The new exclusion; None where one stands already."""
    added = await session.execute(
        upsert(HouseholdExclusion)
        .values(fields)
        .on_conflict_do_nothing()
        .returning(HouseholdExclusion)
    )
    return added.scalar_one_or_none()


def _of_households(bound: Bound) -> Select[HouseholdExclusion]:
    query: Select[HouseholdExclusion] = select(HouseholdExclusion)
    if bound is None:
        return query
    return query.join(Household, Household.id == HouseholdExclusion.household_id).where(
        within(bound, Household.area_code)
    )


async def find_exclusion(
    session: AsyncSession, exclusion_id: UUID, *, bound: Bound, locked: bool
) -> HouseholdExclusion | None:
    """An exclusion; ``locked``, for this transaction alone."""
    query = _of_households(bound).where(HouseholdExclusion.id == exclusion_id)
    if locked:
        query = query.with_for_update(of=HouseholdExclusion)
    return await session.scalar(query.execution_options(populate_existing=True))


async def standing_exclusion(
    session: AsyncSession, household_id: UUID, scheme: str, activation_id: UUID
) -> HouseholdExclusion | None:
    """What keeps a household out of an activation: that of the activation before the scheme's."""
    exclusion = HouseholdExclusion
    return await session.scalar(
        select(exclusion)
        .where(
            exclusion.household_id == household_id,
            exclusion.scheme_code == scheme,
            exclusion.ended_at.is_(None),
            (exclusion.activation_id.is_(None)) | (exclusion.activation_id == activation_id),
        )
        .order_by(exclusion.activation_id.nulls_last())
        .limit(1)
        .with_for_update()
    )


async def end_exclusion(
    session: AsyncSession, exclusion_id: UUID, *, by: str, at: datetime, because: str
) -> None:
    """Keep that a household is admitted again."""
    await session.execute(
        update(HouseholdExclusion)
        .where(HouseholdExclusion.id == exclusion_id)
        .values(ended_at=at, ended_by=by, ended_because=because)
        .execution_options(synchronize_session=False)
    )


async def list_exclusions(
    session: AsyncSession,
    *,
    scheme: str | None,
    standing: bool,
    bound: Bound,
    after: UUID | None,
    limit: int,
) -> Sequence[HouseholdExclusion]:
    """Exclusions in the order in which they were made, after one of them."""
    query = _of_households(bound).order_by(HouseholdExclusion.id).limit(limit)
    if scheme is not None:
        query = query.where(HouseholdExclusion.scheme_code == scheme)
    if standing:
        query = query.where(HouseholdExclusion.ended_at.is_(None))
    if after is not None:
        query = query.where(HouseholdExclusion.id > after)
    return (await session.scalars(query)).all()


async def count_announced(session: AsyncSession, household_id: UUID, activation_id: UUID) -> int:
    """In how many rounds of an activation a household is on its way to be paid, or was."""
    counted = await session.scalar(
        select(func.count()).where(
            Entitlement.household_id == household_id,
            Entitlement.activation_id == activation_id,
            Entitlement.status.in_(["ready", "paid"]),
        )
    )
    return int(counted or 0)


_LEFT_OUT = f"""
    entitlement.household_id = :household_id AND entitlement.status = 'excluded'
    AND entitlement.reason = '{EXCLUDED_BY_AN_OFFICER}'
    AND entitlement.activation_id IN (
        SELECT id FROM registry.activation
        WHERE scheme_code = :scheme AND cancelled_on IS NULL
          AND (CAST(:activation_id AS uuid) IS NULL OR id = CAST(:activation_id AS uuid)))
"""
_OWED_ANEW = text(
    f"""
    SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM registry.entitlement
    WHERE {_LEFT_OUT}
    """
)
# Whoever changes entitlements holds their home.
_HOMES = text(
    f"""
    SELECT chunk.id FROM registry.entitlement_chunk AS chunk
    WHERE chunk.id IN (SELECT chunk_id FROM registry.entitlement WHERE {_LEFT_OUT})
    ORDER BY chunk.id FOR NO KEY UPDATE
    """
)
_READMIT = text(
    f"""
    WITH moved AS (
        UPDATE registry.entitlement SET status = 'unpayable', reason = '{READMITTED}'
        WHERE {_LEFT_OUT} RETURNING chunk_id, amount_minor
    )
    UPDATE registry.entitlement_chunk AS home
    SET excluded_count = home.excluded_count - summed.count,
        unpayable_count = home.unpayable_count + summed.count,
        unpayable_minor = home.unpayable_minor + summed.minor
    FROM (SELECT chunk_id, count(*) AS count, sum(amount_minor)::bigint AS minor
          FROM moved GROUP BY chunk_id) AS summed
    WHERE home.id = summed.chunk_id
    """
)


def _of_exclusion(exclusion: HouseholdExclusion) -> dict[str, Any]:
    return {
        "household_id": exclusion.household_id,
        "scheme": exclusion.scheme_code,
        "activation_id": exclusion.activation_id,
    }


async def owed_anew(session: AsyncSession, exclusion: HouseholdExclusion) -> tuple[int, int]:
    """How many rounds an exclusion left its household out of, and how much they come to."""
    rounds, minor = (await session.execute(_OWED_ANEW, _of_exclusion(exclusion))).one()
    return rounds, minor


async def readmit(session: AsyncSession, exclusion: HouseholdExclusion) -> None:
    """The rounds that an exclusion left its household out of are owed, and wait for a repair."""
    await session.execute(_HOMES, _of_exclusion(exclusion))
    await session.execute(_READMIT, _of_exclusion(exclusion))
