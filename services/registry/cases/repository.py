"""Whom an activation missed, exclusions and appeals, in the database."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.cases.tables import Appeal, AppealStep
from services.registry.enrolments import statements
from services.registry.enrolments.statements import EXCLUDED_BY_AN_OFFICER, READMITTED, Further
from services.registry.enrolments.tables import (
    Enrolment,
    Entitlement,
    FurtherEnrolment,
    HouseholdExclusion,
)
from services.registry.households.tables import Household
from services.registry.schemes.document import SchemeDocument

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
    session: AsyncSession, activation_id: UUID, *, area: str
) -> dict[str, tuple[int, int]]:
    """Households and money by reason, of whom is enrolled."""
    rows = await session.execute(_COUNTS, {"activation_id": activation_id, "area": area})
    return {row.why: (row.households, row.amount_minor) for row in rows.all()}


async def list_missed(
    session: AsyncSession,
    activation_id: UUID,
    why: str,
    *,
    area: str,
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
            "after_area": after_area,
            "after_household": after_household,
            "after_round": after_round,
            "limit": limit,
        },
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


def _values(
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
        _values(activation_id, communes, known_until, household_ids, as_of),
    )
    return [(commune, households, int(minor)) for commune, households, minor in rows.all()]


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
        _values(activation_id, communes, known_until, None, as_of),
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def communes_of(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where households live, by id; those that there are not are left out."""
    rows = await session.execute(
        select(Household.id, Household.area_code).where(Household.id.in_(household_ids))
    )
    return dict(rows.all())


async def count_enrolled(
    session: AsyncSession, activation_id: UUID, household_ids: Sequence[UUID]
) -> int:
    """How many of some households are enrolled in an activation."""
    counted = await session.scalar(
        select(func.count()).where(
            Enrolment.activation_id == activation_id, Enrolment.household_id.in_(household_ids)
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
            exclusion.household_id.in_(household_ids),
            exclusion.scheme_code == scheme,
            exclusion.ended_at.is_(None),
            (exclusion.activation_id.is_(None)) | (exclusion.activation_id == activation_id),
        )
    )
    return int(counted or 0)


async def add_further(session: AsyncSession, **fields: Any) -> None:
    """Keep why a run enrols further households; ``fields`` are the table's columns."""
    await session.execute(insert(FurtherEnrolment).values(fields))


async def add_exclusion(session: AsyncSession, **fields: Any) -> HouseholdExclusion | None:
    """The new exclusion; None where one stands already."""
    added = await session.execute(
        upsert(HouseholdExclusion)
        .values(fields)
        .on_conflict_do_nothing()
        .returning(HouseholdExclusion)
    )
    return added.scalar_one_or_none()


async def find_exclusion(
    session: AsyncSession, exclusion_id: UUID, *, locked: bool
) -> HouseholdExclusion | None:
    """An exclusion; ``locked``, for this transaction alone."""
    query = select(HouseholdExclusion).where(HouseholdExclusion.id == exclusion_id)
    if locked:
        query = query.with_for_update()
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
    session: AsyncSession, *, scheme: str | None, standing: bool, after: UUID | None, limit: int
) -> Sequence[HouseholdExclusion]:
    """Exclusions in the order in which they were made, after one of them."""
    query = select(HouseholdExclusion).order_by(HouseholdExclusion.id).limit(limit)
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


async def add_appeal(session: AsyncSession, **fields: Any) -> Appeal | None:
    """The new appeal; None where one of the household is open."""
    added = await session.execute(
        upsert(Appeal).values(fields).on_conflict_do_nothing().returning(Appeal)
    )
    return added.scalar_one_or_none()


async def add_step(session: AsyncSession, appeal_id: UUID, **fields: Any) -> None:
    """Keep what was said about an appeal that is locked, or new."""
    number = select(func.coalesce(func.max(AppealStep.number), 0) + 1).where(
        AppealStep.appeal_id == appeal_id
    )
    await session.execute(
        insert(AppealStep).values(appeal_id=appeal_id, number=number.scalar_subquery(), **fields)
    )


async def lock_appeal(session: AsyncSession, appeal_id: UUID) -> Appeal | None:
    """An appeal, for this transaction alone."""
    return await session.scalar(
        select(Appeal)
        .where(Appeal.id == appeal_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def find_appeal(session: AsyncSession, appeal_id: UUID) -> Appeal | None:
    """The appeal with this id."""
    return await session.scalar(
        select(Appeal).where(Appeal.id == appeal_id).execution_options(populate_existing=True)
    )


async def decide_appeal(session: AsyncSession, appeal_id: UUID, **fields: Any) -> None:
    """Keep how an appeal is decided."""
    await session.execute(
        update(Appeal)
        .where(Appeal.id == appeal_id, Appeal.decision.is_(None))
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def steps_of(session: AsyncSession, appeal_ids: Sequence[UUID]) -> Sequence[AppealStep]:
    """What was said about appeals, in its order."""
    rows = await session.scalars(
        select(AppealStep)
        .where(AppealStep.appeal_id.in_(appeal_ids))
        .order_by(AppealStep.appeal_id, AppealStep.number)
    )
    return rows.all()


async def list_appeals(
    session: AsyncSession,
    *,
    undecided: bool,
    overdue_on: date | None,
    household_id: UUID | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Appeal]:
    """Appeals by the day on which they are due, after one of them."""
    query = select(Appeal).order_by(Appeal.due_on, Appeal.id).limit(limit)
    if undecided:
        query = query.where(Appeal.decision.is_(None))
    if overdue_on is not None:
        query = query.where(Appeal.decision.is_(None), Appeal.due_on < overdue_on)
    if household_id is not None:
        query = query.where(Appeal.household_id == household_id)
    if after is not None:
        query = query.where(tuple_(Appeal.due_on, Appeal.id) > after)
    return (await session.scalars(query)).all()
