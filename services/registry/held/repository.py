"""Runs that are held, in the database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation
from services.registry.approvals.tables import Approval
from services.registry.chunks.tables import EnrolmentRun


async def list_held(
    session: AsyncSession, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[EnrolmentRun, str, Approval]]:
    """Held runs of activations that are not cancelled, with their proposals, the oldest first."""
    query: Any = (
        select(EnrolmentRun, Activation.scheme_code, Approval)
        .join(Activation, Activation.id == EnrolmentRun.activation_id)
        .join(Approval, Approval.id == EnrolmentRun.approval_id)
        .where(
            EnrolmentRun.held_at.is_not(None),
            EnrolmentRun.completed_at.is_(None),
            Activation.cancelled_on.is_(None),
        )
    )
    if after is not None:
        query = query.where(tuple_(EnrolmentRun.held_at, EnrolmentRun.id) > after)
    rows = await session.execute(query.order_by(EnrolmentRun.held_at, EnrolmentRun.id).limit(limit))
    return [(run, scheme, proposal) for run, scheme, proposal in rows.all()]


async def find_approval(session: AsyncSession, approval_id: UUID) -> Approval:
    """The proposal that a run is held for."""
    return (await session.scalars(select(Approval).where(Approval.id == approval_id))).one()
