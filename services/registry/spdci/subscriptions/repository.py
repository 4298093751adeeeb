"""SQL of subscriptions, and of which households an event is about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.spdci.searches.repository import Fits, households_where, members_where
from services.registry.spdci.subscriptions.tables import PartnerSubscription

# Of a block of an import, in the districts that its event names: what the very transaction stored
# that told the event. ``registered_in`` is set when a row is added and never again; ``xmin`` is
# PostgreSQL's own, of whoever wrote the row last.
_OF_A_BLOCK = """
    WITH told AS (
        SELECT CAST(CAST(:transaction_id AS text) AS xid8) AS transaction_id
    ), district AS (
        SELECT unnest(CAST(:areas AS text[])) AS code
    ), candidate AS (
        SELECT household.id, household.registered_in, household.xmin AS written_in
        FROM district
        JOIN registry.household ON household.area_code >= district.code
            AND household.area_code < district.code || 'z'
    )
"""
_REGISTERED = text(
    _OF_A_BLOCK
    + """
    SELECT DISTINCT candidate.id, NULL::uuid FROM candidate, told
    WHERE candidate.registered_in = told.transaction_id
    """
)
_JOINED = text(
    _OF_A_BLOCK
    + """
    SELECT DISTINCT candidate.id, member.id FROM candidate CROSS JOIN told
    JOIN registry.member ON member.household_id = candidate.id
        AND member.registered_in = told.transaction_id AND member.left_on IS NULL
    WHERE candidate.registered_in IS DISTINCT FROM told.transaction_id
    """
)
_CHANGED = text(
    _OF_A_BLOCK
    + """
    SELECT DISTINCT candidate.id, NULL::uuid FROM candidate CROSS JOIN told
    WHERE candidate.registered_in IS DISTINCT FROM told.transaction_id
      AND (candidate.written_in = xid(told.transaction_id) OR EXISTS (
          SELECT FROM registry.member WHERE member.household_id = candidate.id
            AND member.xmin = xid(told.transaction_id)))
    """
)
_JOINED_ONE = text(
    """
    SELECT member.household_id, member.id FROM registry.member
    WHERE member.household_id = :household_id AND member.left_on IS NULL
      AND member.registered_in = CAST(CAST(:transaction_id AS text) AS xid8)
    """
)

About = tuple[UUID, UUID | None]
"""A household, and the member whom it is about if it is about one."""


@dataclass(frozen=True, slots=True)
class Block:
    """What one transaction stored in some districts."""

    transaction_id: str
    areas: Sequence[str]


async def add(session: AsyncSession, **columns: object) -> bool:
    """Keep a subscription; False where the partner has the same already."""
    added = await session.scalar(
        insert(PartnerSubscription)
        .values(**columns)
        .on_conflict_do_nothing(
            index_elements=[PartnerSubscription.sender_id, PartnerSubscription.filter_index],
            index_where=PartnerSubscription.ended_at.is_(None),
        )
        .returning(PartnerSubscription.id)
    )
    return added is not None


async def count_standing(session: AsyncSession, sender_id: str) -> int:
    """How many subscriptions of a partner stand."""
    counted = await session.scalar(
        select(func.count()).where(
            PartnerSubscription.sender_id == sender_id, PartnerSubscription.ended_at.is_(None)
        )
    )
    return int(counted or 0)


async def of_partner(
    session: AsyncSession, sender_id: str, codes: Collection[UUID]
) -> Sequence[PartnerSubscription]:
    """Those of the subscriptions that are the partner's, locked."""
    rows = await session.scalars(
        select(PartnerSubscription)
        .where(PartnerSubscription.sender_id == sender_id, PartnerSubscription.id.in_(codes))
        .order_by(PartnerSubscription.id)
        .with_for_update()
    )
    return rows.all()


async def end(session: AsyncSession, codes: Collection[UUID]) -> None:
    """Tell of nothing any more by these."""
    await session.execute(
        update(PartnerSubscription)
        .where(PartnerSubscription.id.in_(codes), PartnerSubscription.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
    )


async def transaction_of_event(session: AsyncSession, event_id: UUID) -> str:
    """The transaction that told an event."""
    found: str = await session.scalar(
        text("SELECT transaction_id::text FROM events.event WHERE id = :id"), {"id": event_id}
    )
    return found


async def standing(session: AsyncSession, transaction_id: str) -> Sequence[PartnerSubscription]:
    """Subscriptions of partners that have not ended, which were there before a transaction."""
    rows = await session.scalars(
        select(PartnerSubscription)
        .from_statement(
            text(
                """
                SELECT subscription.* FROM registry.partner_subscription AS subscription
                JOIN registry.partner ON partner.sender_id = subscription.sender_id
                WHERE subscription.ended_at IS NULL AND partner.ended_at IS NULL
                  AND subscription.subscribed_in < CAST(CAST(:transaction_id AS text) AS xid8)
                ORDER BY subscription.id
                """
            )
        )
        .execution_options(populate_existing=True),
        {"transaction_id": transaction_id},
    )
    return rows.all()


async def registered(session: AsyncSession, block: Block) -> list[About]:
    """Households that a block added."""
    return await _of(session, _REGISTERED, block)


async def joined(session: AsyncSession, block: Block) -> list[About]:
    """Members whom a block added to households that were known."""
    return await _of(session, _JOINED, block)


async def changed(session: AsyncSession, block: Block) -> list[About]:
    """Known households that a block changed."""
    return await _of(session, _CHANGED, block)


async def joined_one(session: AsyncSession, household_id: UUID, transaction_id: str) -> list[About]:
    """Members whom a transaction added to one household."""
    rows = await session.execute(
        _JOINED_ONE, {"household_id": household_id, "transaction_id": transaction_id}
    )
    return [(row[0], row[1]) for row in rows]


async def _of(session: AsyncSession, statement: object, block: Block) -> list[About]:
    rows = await session.execute(
        statement,  # type: ignore[call-overload]
        {"transaction_id": block.transaction_id, "areas": list(block.areas)},
    )
    return [(row[0], row[1]) for row in rows]


async def fitting(
    session: AsyncSession,
    fits: Fits,
    about: Sequence[About],
    *,
    of_members: bool,
    today: date,
) -> list[About]:
    """Those that a filter fits, in their order."""
    if of_members:
        ids = [member_id for _, member_id in about if member_id is not None]
        found = await session.scalars(members_where(fits, ids), {"as_of": today})
        known = set(found)
        return [each for each in about if each[1] in known]
    ids = [household_id for household_id, _ in about]
    known = set(await session.scalars(households_where(fits, ids), {"as_of": today}))
    return [each for each in about if each[0] in known]
