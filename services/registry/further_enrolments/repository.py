"""Whom a further run would enrol, in the database."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments import statements
from services.registry.enrolments.statements import Further
from services.registry.enrolments.tables import (
    Enrolment,
    FurtherEnrolment,
    HouseholdExclusion,
)
from services.registry.households.tables import Household
from services.registry.schemes.document import SchemeDocument
from shared.bounds import Bound, within
from shared.choosing import one_of


def values_of(
    activation_id: UUID,
    communes: Collection[str],
    known_until: datetime,
    household_ids: Sequence[UUID] | None,
    as_of: date,
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "activation_id": activation_id,
        "area_codes": sorted(communes),
        "known_until": known_until,
        "as_of": as_of,
    }
    return values if household_ids is None else values | {"household_ids": list(household_ids)}


async def sums_of_further(
    session: AsyncSession,
    document: SchemeDocument,
    whom: Further,
    activation_id: UUID,
    communes: Collection[str],
    *,
    known_until: datetime,
    as_of: date,
    household_ids: Sequence[UUID] | None = None,
) -> list[tuple[str, int, int]]:
    """Whom a further run would enrol: communes, each with its households and their money."""
    found = statements.not_enrolled(document, whom).subquery("found")
    rows = await session.execute(
        select(found.c.area_code, func.count(), func.sum(found.c.amount_minor))
        .group_by(found.c.area_code)
        .order_by(found.c.area_code),
        values_of(activation_id, communes, known_until, household_ids, as_of),
    )
    return [(commune, households, int(minor)) for commune, households, minor in rows.all()]


async def communes_of(
    session: AsyncSession, household_ids: Sequence[UUID], *, bound: Bound
) -> dict[UUID, str]:
    """Where households live, by id; those that there are not in these areas are left out."""
    rows = await session.execute(
        select(Household.id, Household.area_code).where(
            one_of(Household.id, household_ids), within(bound, Household.area_code)
        )
    )
    return dict(rows.all())


async def count_enrolled(
    session: AsyncSession, activation_id: UUID, household_ids: Sequence[UUID]
) -> int:
    """How many of some households are enrolled in an activation."""
    counted = await session.scalar(
        select(func.count()).where(
            Enrolment.activation_id == activation_id, one_of(Enrolment.household_id, household_ids)
        )
    )
    return int(counted or 0)


async def count_kept_out(
    session: AsyncSession, scheme: str, activation_id: UUID, household_ids: Sequence[UUID]
) -> int:
    """How many of some households officers keep out of an activation."""
    exclusion = HouseholdExclusion
    counted = await session.scalar(
        select(func.count(exclusion.household_id.distinct())).where(
            one_of(exclusion.household_id, household_ids),
            exclusion.scheme_code == scheme,
            exclusion.ended_at.is_(None),
            (exclusion.activation_id.is_(None)) | (exclusion.activation_id == activation_id),
        )
    )
    return int(counted or 0)


async def add_further(session: AsyncSession, **fields: Any) -> None:
    """Keep why a run enrols further households; ``fields`` are the table's columns."""
    await session.execute(insert(FurtherEnrolment).values(fields))
