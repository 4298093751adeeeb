"""Entitlements as they are shown, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.tables import Enrolment, Entitlement, Reassessment
from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household
from shared.bounds import Bound, within


def _shown(bound: Bound) -> Select[Any]:
    # Where it was worked out, and where the household lives now: both are theirs to see.
    shown = (
        select(
            *(
                getattr(Entitlement, name)
                for name in (
                    "id",
                    "household_id",
                    "activation_id",
                    "chunk_id",
                    "round",
                    "area_code",
                    "amount_minor",
                    "status",
                    "reason",
                    "finished_at",
                )
            ),
            Activation.scheme_code.label("scheme"),
            Activation.scheme_version,
            Activation.received_at,
            EntitlementChunk.currency,
            EntitlementChunk.announced_at,
        )
        .join(Activation, Activation.id == Entitlement.activation_id)
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
    )
    if bound is None:
        return shown
    return shown.join(Household, Household.id == Entitlement.household_id).where(
        within(bound, Entitlement.area_code), within(bound, Household.area_code)
    )


# Of what was announced once, as nearly everything is, the entitlement says it.
_ANNOUNCEMENTS = text(
    """
    SELECT made.number, made.chunk_id, made.status, made.reason, made.finished_at,
           chunk.announced_at, account.provider_code, repair.requested_by, repair.reason AS why
    FROM (
        SELECT number, chunk_id, payee_account_id, status, reason, finished_at
        FROM registry.announcement WHERE entitlement_id = :id
        UNION ALL
        SELECT 1, chunk_id, payee_account_id, status, reason, finished_at
        FROM registry.entitlement
        WHERE id = :id AND payee_account_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM registry.announcement WHERE entitlement_id = :id)
    ) AS made
    JOIN registry.entitlement_chunk AS chunk ON chunk.id = made.chunk_id
    JOIN registry.payee_account AS account ON account.id = made.payee_account_id
    LEFT JOIN registry.repair ON repair.run_id = chunk.enrolment_run_id
    ORDER BY made.number
    """
)


async def list_of_household(
    session: AsyncSession,
    household_id: UUID,
    *,
    bound: Bound,
    after: tuple[datetime, UUID, int] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A household's entitlements as their activations arrived, round by round, after one."""
    place = (Activation.received_at, Entitlement.activation_id, Entitlement.round)
    query = _shown(bound).where(Entitlement.household_id == household_id)
    if after is not None:
        query = query.where(tuple_(*place) > after)
    rows = await session.execute(query.order_by(*place).limit(limit))
    found: Sequence[Row[Any]] = rows.all()
    return found


async def announcements(session: AsyncSession, entitlement_id: UUID) -> Sequence[Row[Any]]:
    """Each time that an entitlement was announced to payments, the first time first."""
    return (await session.execute(_ANNOUNCEMENTS, {"id": entitlement_id})).all()


async def find_explained(
    session: AsyncSession, entitlement_id: UUID, *, bound: Bound
) -> Row[Any] | None:
    """An entitlement with the enrolment that it came from."""
    rows = await session.execute(
        _shown(bound)
        .add_columns(
            func.coalesce(Reassessment.benefit_case, Enrolment.benefit_case).label("benefit_case"),
            *(
                func.coalesce(
                    getattr(Reassessment, field.name), getattr(Enrolment, field.name)
                ).label(field.name)
                for field in COUNTED
            ),
        )
        .join(
            Enrolment,
            and_(
                Enrolment.household_id == Entitlement.household_id,
                Enrolment.activation_id == Entitlement.activation_id,
            ),
        )
        # A later round may have looked at the household anew; one that fits no case any more gets
        # nothing, and its amount is the one of before.
        .outerjoin(
            Reassessment,
            and_(
                Reassessment.household_id == Entitlement.household_id,
                Reassessment.activation_id == Entitlement.activation_id,
                Reassessment.round == Entitlement.round,
                Reassessment.benefit_case.is_not(None),
            ),
        )
        .where(Entitlement.id == entitlement_id)
    )
    return rows.one_or_none()
