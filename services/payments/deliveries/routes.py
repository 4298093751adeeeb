"""Deliveries: what was sent to subscribers, what waits, and sending it again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.payments.deliveries import service
from services.payments.deliveries.schemas import DeliveryOut
from services.payments.deliveries.states import DeliveryStatus
from services.payments.scopes import SubscriptionsRead, SubscriptionsWrite
from services.payments.subscriptions.schemas import ReplayIn, ReplayOut
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(tags=["subscriptions"])


@router.get("/deliveries", summary="List deliveries", responses=problem_responses(400, 401, 403))
async def list_deliveries(
    caller: SubscriptionsRead,
    session: Session,
    page: PageQuery,
    subscription_id: Annotated[
        UUID | None, Query(description="Only those of this subscription.")
    ] = None,
    status: Annotated[DeliveryStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[DeliveryOut]:
    """What was sent to subscribers and how they answered, in the order in which it was made."""
    return await service.list_page(
        session, page, subscription_id=subscription_id, status=status, caller=caller
    )


@router.get(
    "/deliveries/{delivery_id}",
    summary="Get a delivery",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_delivery(
    delivery_id: UUID, caller: SubscriptionsRead, session: Session
) -> DeliveryOut:
    """One event on its way to one subscriber: the receiver knows it by its `webhook-id`."""
    return await service.get(session, delivery_id, caller=caller)


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=202,
    summary="Make a delivery again",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def replay_delivery(
    delivery_id: UUID, caller: SubscriptionsWrite, session: Session
) -> DeliveryOut:
    """It is sent again from the first attempt on, also where it was delivered, under the same
    `webhook-id`: a receiver that worked it knows it again. One that waits is left as it is."""
    return await service.replay(session, delivery_id, caller=caller)


@router.post(
    "/subscriptions/{subscription_id}/replays",
    status_code=202,
    response_model=ReplayOut,
    summary="Send a time's events again",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def replay_time(
    subscription_id: UUID,
    body: ReplayIn,
    caller: SubscriptionsWrite,
    session: Session,
    once: Once,
) -> Response:
    """Everything that the subscription asks for and that happened in a time is sent again, or for
    the first time: after a receiver was away for long, or lost what it had."""
    return await once.reply(
        body,
        lambda: service.replay_all(session, subscription_id, body, caller=caller),
        status_code=202,
    )
