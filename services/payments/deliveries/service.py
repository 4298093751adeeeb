"""Deliveries: looking at them, and having them made again."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.deliveries import repository
from services.payments.deliveries.schemas import DeliveryOut
from services.payments.deliveries.states import DeliveryStatus
from services.payments.statements import AnyRow
from services.payments.subscriptions import service as subscriptions
from services.payments.subscriptions.repository import lock_active
from services.payments.subscriptions.schemas import ReplayIn, ReplayOut
from services.payments.subscriptions.service import not_active, only_by
from shared.auth import Caller
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf

MOST_REPLAYED = 10_000


async def list_page(
    session: AsyncSession,
    page: Page,
    *,
    subscription_id: UUID | None,
    status: DeliveryStatus | None,
    caller: Caller,
) -> PageOf[DeliveryOut]:
    """A page of deliveries: of all for a person, of its own subscriptions for a program."""
    rows = await repository.list_deliveries(
        session,
        subscription_id=subscription_id,
        status=status,
        proposed_by=only_by(caller),
        after=page.after(int),
        limit=page.fetch_limit,
    )
    found = page.of(rows, key=lambda row: (row.number,))
    return PageOf(items=[_shown(row) for row in found.items], next_cursor=found.next_cursor)


async def get(session: AsyncSession, delivery_id: UUID, *, caller: Caller) -> DeliveryOut:
    """A delivery; raises NotFound, also where a program asks for another's."""
    row = await repository.find_delivery(session, delivery_id, proposed_by=only_by(caller))
    if row is None:
        raise NotFound("There is no such delivery. GET /v1/deliveries lists them.")
    return _shown(row)


async def replay(session: AsyncSession, delivery_id: UUID, *, caller: Caller) -> DeliveryOut:
    """Have a delivery be made again, with the id that it had; raises NotFound, Conflict."""
    delivery = await get(session, delivery_id, caller=caller)
    await _lock(session, delivery.subscription_id, caller=caller)
    await repository.replay(session, delivery_id)
    return await get(session, delivery_id, caller=caller)


async def replay_all(
    session: AsyncSession, subscription_id: UUID, given: ReplayIn, *, caller: Caller
) -> ReplayOut:
    """Have everything of a time that a subscription asks for be sent; raises NotFound, Conflict."""
    await _lock(session, subscription_id, caller=caller)
    wanted = await repository.count_wanted(
        session, subscription_id, since=given.since, until=given.until, most=MOST_REPLAYED + 1
    )
    if wanted > MOST_REPLAYED:
        raise Conflict(
            f"It asks for more than {MOST_REPLAYED:,} events of that time. Replay a shorter time, "
            "or read them from the feed, GET /v1/events."
        )
    made = await repository.replay_wanted(
        session, subscription_id, since=given.since, until=given.until
    )
    return ReplayOut(deliveries=made)


async def _lock(session: AsyncSession, subscription_id: UUID, *, caller: Caller) -> None:
    subscription = await subscriptions.get(session, subscription_id, caller=caller)
    if await lock_active(session, subscription_id) is None:
        raise not_active(subscription)


def _shown(row: AnyRow) -> DeliveryOut:
    return DeliveryOut.model_validate(row._asdict())
