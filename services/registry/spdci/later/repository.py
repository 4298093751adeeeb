"""SQL of what is answered later, and of what is on its way."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.partners.tables import Partner
from services.registry.spdci.later.tables import (
    DeliveryStatus,
    PartnerDelivery,
    PartnerRequest,
    RequestStatus,
)
from shared.database import NOW

_CLAIM = text(
    f"""
    WITH due AS (
        SELECT id
        FROM registry.partner_delivery
        WHERE status = 'waiting' AND next_attempt_at <= {NOW}
        ORDER BY next_attempt_at
        LIMIT :most
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE registry.partner_delivery AS delivery
    SET attempts = attempts + 1, attempted_at = clock_timestamp(),
        next_attempt_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM due, registry.partner
    WHERE delivery.id = due.id AND partner.sender_id = delivery.sender_id
    RETURNING delivery.id, delivery.sender_id, delivery.url, delivery.message_sealed,
        delivery.attempts, partner.ended_at IS NOT NULL AS partner_ended, partner.purpose
    """
)

# Only by whoever claimed it last: an outcome that comes after the lease has ended says nothing of
# the attempt that is under way by now.
_RECORD = text(
    """
    UPDATE registry.partner_delivery
    SET status = CAST(:status AS registry.partner_delivery_status),
        finished_at = CASE WHEN :status <> 'waiting' THEN clock_timestamp() END,
        next_attempt_at = CASE WHEN :status = 'waiting'
            THEN clock_timestamp() + make_interval(secs => :again_after_seconds) END,
        answer_status = :answer_status,
        detail = :detail
    WHERE id = :id AND attempts = :attempts AND status = 'waiting'
    """
)


async def add_request(session: AsyncSession, **columns: object) -> None:
    """Keep what a partner asked, until it is answered."""
    await session.execute(insert(PartnerRequest).values(**columns, status=RequestStatus.WAITING))


async def claim_request(
    session: AsyncSession,
) -> Row[PartnerRequest, Partner] | None:
    """The oldest that waits and that nobody works at, locked until the transaction's end."""
    rows = await session.execute(
        select(PartnerRequest, Partner)
        .join(Partner, Partner.sender_id == PartnerRequest.sender_id)
        .where(PartnerRequest.status == RequestStatus.WAITING)
        .order_by(PartnerRequest.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=PartnerRequest)
    )
    return rows.one_or_none()


async def answered(session: AsyncSession, request_id: UUID, status: RequestStatus) -> None:
    """Say that it waits no more."""
    await session.execute(
        update(PartnerRequest)
        .where(PartnerRequest.id == request_id)
        .values(status=status, answered_at=func.clock_timestamp())
    )


async def add_delivery(session: AsyncSession, **columns: object) -> None:
    """Have a message sent."""
    await session.execute(insert(PartnerDelivery).values(**columns, status=DeliveryStatus.WAITING))


async def claim_deliveries(
    session: AsyncSession, *, most: int, lease_seconds: float
) -> Sequence[Row[Any]]:
    """What is due, as many as may be under way, until the lease ends."""
    rows = await session.execute(_CLAIM, {"most": most, "lease_seconds": lease_seconds})
    return rows.all()


async def record(
    session: AsyncSession,
    delivery_id: UUID,
    status: DeliveryStatus,
    *,
    attempts: int,
    answer_status: int | None,
    detail: str | None,
    again_after_seconds: float | None,
) -> None:
    """How an attempt went, unless another has begun since."""
    await session.execute(
        _RECORD,
        {
            "id": delivery_id,
            "status": status.value,
            "attempts": attempts,
            "answer_status": answer_status,
            "detail": detail,
            "again_after_seconds": again_after_seconds,
        },
    )


async def find_requests(
    session: AsyncSession,
    sender_id: str,
    *,
    transaction_id: str | None = None,
    correlation_id: UUID | None = None,
    reference_ids: Sequence[str] | None = None,
    most: int,
) -> Sequence[tuple[PartnerRequest, PartnerDelivery | None]]:
    """What a partner asked, by one of its names, newest first, each with its answer if any."""
    query = (
        select(PartnerRequest, PartnerDelivery)
        .outerjoin(PartnerDelivery, PartnerDelivery.partner_request_id == PartnerRequest.id)
        .where(PartnerRequest.sender_id == sender_id)
        .order_by(PartnerRequest.id.desc())
        .limit(most)
    )
    if transaction_id is not None:
        query = query.where(PartnerRequest.transaction_id == transaction_id)
    if correlation_id is not None:
        query = query.where(PartnerRequest.id == correlation_id)
    if reference_ids is not None:
        query = query.where(PartnerRequest.reference_ids.overlap(list(reference_ids)))
    return [(request, delivery) for request, delivery in await session.execute(query)]
