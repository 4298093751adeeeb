"""SQL of what is asked of partners, what they sent, and what is on its way to them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.spdci.later.tables import (
    DeliveryStatus,
    PartnerCallback,
    PartnerDelivery,
    PartnerSearch,
)


async def add_search(session: AsyncSession, **columns: object) -> None:
    """Keep what is asked of a partner."""
    await session.execute(insert(PartnerSearch).values(**columns))


async def find_search(
    session: AsyncSession, sender_id: str, search_id: UUID
) -> tuple[PartnerSearch, PartnerDelivery | None] | None:
    """What was asked of a partner, with how it is sent as long as that is kept."""
    rows = await session.execute(
        select(PartnerSearch, PartnerDelivery)
        .outerjoin(PartnerDelivery, PartnerDelivery.id == PartnerSearch.delivery_id)
        .where(PartnerSearch.sender_id == sender_id, PartnerSearch.id == search_id)
    )
    found = rows.one_or_none()
    return None if found is None else (found[0], found[1])


async def add_callback(session: AsyncSession, **columns: object) -> bool:
    """Keep what a partner sent; False where it was kept already."""
    added = await session.scalar(
        insert(PartnerCallback)
        .values(**columns)
        .on_conflict_do_nothing(
            index_elements=[PartnerCallback.sender_id, PartnerCallback.message_id]
        )
        .returning(PartnerCallback.id)
    )
    return added is not None


async def callbacks_of(
    session: AsyncSession, sender_id: str, transaction_id: str, *, most: int
) -> Sequence[PartnerCallback]:
    """What a partner sent of one transaction, in order."""
    rows = await session.scalars(
        select(PartnerCallback)
        .where(
            PartnerCallback.sender_id == sender_id,
            PartnerCallback.transaction_id == transaction_id,
        )
        .order_by(PartnerCallback.id)
        .limit(most)
    )
    return rows.all()


async def list_callbacks(
    session: AsyncSession, sender_id: str, *, after: UUID | None, limit: int
) -> Sequence[PartnerCallback]:
    """What a partner sent, in order, after one."""
    query = select(PartnerCallback).where(PartnerCallback.sender_id == sender_id)
    if after is not None:
        query = query.where(PartnerCallback.id > after)
    return (await session.scalars(query.order_by(PartnerCallback.id).limit(limit))).all()


async def find_callback(
    session: AsyncSession, sender_id: str, callback_id: UUID
) -> PartnerCallback | None:
    """One message that a partner sent."""
    return await session.scalar(
        select(PartnerCallback).where(
            PartnerCallback.sender_id == sender_id, PartnerCallback.id == callback_id
        )
    )


async def list_deliveries(
    session: AsyncSession,
    sender_id: str,
    *,
    status: DeliveryStatus | None,
    after: UUID | None,
    limit: int,
) -> Sequence[PartnerDelivery]:
    """What is sent to a partner, in order, after one."""
    query = select(PartnerDelivery).where(PartnerDelivery.sender_id == sender_id)
    if status is not None:
        query = query.where(PartnerDelivery.status == status)
    if after is not None:
        query = query.where(PartnerDelivery.id > after)
    return (await session.scalars(query.order_by(PartnerDelivery.id).limit(limit))).all()


async def find_delivery(
    session: AsyncSession, sender_id: str, delivery_id: UUID
) -> PartnerDelivery | None:
    """One message to a partner."""
    return await session.scalar(
        select(PartnerDelivery)
        .where(PartnerDelivery.sender_id == sender_id, PartnerDelivery.id == delivery_id)
        .execution_options(populate_existing=True)
    )


async def replay(session: AsyncSession, sender_id: str, delivery_id: UUID) -> bool:
    """Send once more what was given up, from the first attempt on; whether it was."""
    again = await session.scalar(
        update(PartnerDelivery)
        .where(
            PartnerDelivery.sender_id == sender_id,
            PartnerDelivery.id == delivery_id,
            PartnerDelivery.status.in_([DeliveryStatus.FAILED, DeliveryStatus.STOPPED]),
        )
        .values(
            status=DeliveryStatus.WAITING,
            attempts=0,
            finished_at=None,
            next_attempt_at=func.clock_timestamp(),
        )
        .returning(PartnerDelivery.id)
    )
    return again is not None
