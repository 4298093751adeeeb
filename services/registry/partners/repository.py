"""SQL of partners."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.partners.tables import Partner, PartnerMessage


async def find_partner(session: AsyncSession, sender_id: str) -> Partner | None:
    """The partner of a sender's id, also one that has ended."""
    return await session.get(Partner, sender_id)


async def purposes_of(session: AsyncSession, names: Collection[str]) -> Sequence[str]:
    """For what whoever bears one of these names is shown persons, if they speak for partners,
    also such as have ended."""
    rows = await session.scalars(
        select(Partner.purpose).where(Partner.subject.in_(names)).distinct()
    )
    return rows.all()


async def list_partners(
    session: AsyncSession, *, after: str | None, limit: int
) -> Sequence[Partner]:
    """Partners by id."""
    query = select(Partner).order_by(Partner.sender_id).limit(limit)
    if after is not None:
        query = query.where(Partner.sender_id > after)
    return (await session.scalars(query)).all()


async def put(session: AsyncSession, **columns: object) -> None:
    """Keep a partner as it was approved, in the place of what was known of it."""
    added = insert(Partner).values(**columns, ended_at=None)
    await session.execute(
        added.on_conflict_do_update(
            index_elements=[Partner.sender_id],
            set_={
                name: added.excluded[name] for name in (*columns, "ended_at") if name != "sender_id"
            },
        )
    )


async def end(session: AsyncSession, sender_id: str, *, at: datetime) -> bool:
    """Take nothing from it any more; whether it was a partner until now."""
    ended = await session.execute(
        update(Partner)
        .where(Partner.sender_id == sender_id, Partner.ended_at.is_(None))
        .values(ended_at=at)
        .returning(Partner.sender_id)
    )
    return ended.first() is not None


async def add_message(
    session: AsyncSession, sender_id: str, message_id: str, *, at: datetime
) -> bool:
    """Remember a message of a partner's; whether it is the first of its id."""
    added = await session.execute(
        insert(PartnerMessage)
        .values(sender_id=sender_id, message_id=message_id, received_at=at)
        .on_conflict_do_nothing()
        .returning(PartnerMessage.message_id)
    )
    return added.first() is not None
