"""Entitlements as they are shown, in the database."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.tables import Enrolment, Entitlement
from services.registry.households.shape import COUNTED


def _shown() -> Select[Any]:
    return (
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
            EntitlementChunk.currency,
            EntitlementChunk.announced_at,
        )
        .join(Activation, Activation.id == Entitlement.activation_id)
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
    )


async def list_of_household(
    session: AsyncSession, household_id: UUID, *, after: tuple[UUID, int] | None, limit: int
) -> Sequence[Row[Any]]:
    """A household's entitlements by activation and round, after one of them."""
    query = _shown().where(Entitlement.household_id == household_id)
    if after is not None:
        activation_id, number = after
        query = query.where(
            or_(
                Entitlement.activation_id > activation_id,
                and_(Entitlement.activation_id == activation_id, Entitlement.round > number),
            )
        )
    rows = await session.execute(
        query.order_by(Entitlement.activation_id, Entitlement.round).limit(limit)
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def find_explained(session: AsyncSession, entitlement_id: UUID) -> Row[Any] | None:
    """An entitlement with the enrolment that it came from."""
    rows = await session.execute(
        _shown()
        .add_columns(Enrolment.benefit_case, *(getattr(Enrolment, field.name) for field in COUNTED))
        .join(
            Enrolment,
            and_(
                Enrolment.household_id == Entitlement.household_id,
                Enrolment.activation_id == Entitlement.activation_id,
            ),
        )
        .where(Entitlement.id == entitlement_id)
    )
    return rows.one_or_none()
