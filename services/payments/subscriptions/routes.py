"""Subscriptions: where events are sent, and what signs them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.payments.scopes import SubscriptionsRead, SubscriptionsWrite
from services.payments.subscriptions import places, service
from services.payments.subscriptions.schemas import (
    KeyOut,
    RotationIn,
    SubscriptionIn,
    SubscriptionOut,
)
from services.payments.subscriptions.sealing import cipher_of_keys
from services.payments.subscriptions.states import SubscriptionStatus
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery
from shared.personal_data import Cipher

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])


async def _cipher(request: Request) -> Cipher:
    return cipher_of_keys(request.app.state.settings)


KeysCipher = Annotated[Cipher, Depends(_cipher)]


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose a subscription to events",
    responses=problem_responses(400, 401, 403, 422, 503),
)
async def propose_subscription(
    body: SubscriptionIn,
    caller: SubscriptionsWrite,
    session: Session,
    request: Request,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Events of these types and places are sent to an address from when another person approves
    it on, signed by Standard Webhooks 1.0. The proposal's id becomes the subscription's. Where
    the registry does not say whether there are these places, it is to be sent again later."""
    await places.require_known(
        request.app.state.registry, body.areas, authorization=request.headers["Authorization"]
    )
    judge = request.app.state.settings.subscriber_judge
    return await once.reply(
        body,
        lambda: service.propose(session, steps, body, judge=judge, caller=caller, clock=clock),
        status_code=202,
    )


@router.get("", summary="List subscriptions", responses=problem_responses(400, 401, 403, 422))
async def list_subscriptions(
    caller: SubscriptionsRead,
    session: Session,
    page: PageQuery,
    status: Annotated[
        SubscriptionStatus | None, Query(description="Only those in this state.")
    ] = None,
) -> PageOf[SubscriptionOut]:
    """Subscriptions with what waits and what failed: all of them for a person, those that it
    proposed itself for a program."""
    return await service.list_page(session, page, status=status, caller=caller)


@router.get(
    "/{subscription_id}",
    summary="Get a subscription",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_subscription(
    subscription_id: UUID, caller: SubscriptionsRead, session: Session
) -> SubscriptionOut:
    """One subscription, with what waits and what failed."""
    return await service.get(session, subscription_id, caller=caller)


@router.delete(
    "/{subscription_id}",
    summary="End a subscription",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def end_subscription(
    subscription_id: UUID, caller: SubscriptionsWrite, session: Session, clock: ClockDependency
) -> SubscriptionOut:
    """Nothing more is sent, nor what waits. It stays on the list, and is not begun again: it is
    proposed anew."""
    return await service.end(session, subscription_id, caller=caller, clock=clock)


@router.get(
    "/{subscription_id}/keys",
    summary="List the keys that sign",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_keys(
    subscription_id: UUID,
    caller: SubscriptionsRead,
    session: Session,
    page: PageQuery,
    cipher: KeysCipher,
) -> PageOf[KeyOut]:
    """What verifies the signatures. A secret is shown to whoever made it alone: the first to who
    proposed the subscription, a later one to who rotated. That it was shown is recorded."""
    return await service.list_keys(session, page, subscription_id, cipher=cipher, caller=caller)


@router.post(
    "/{subscription_id}/keys",
    status_code=201,
    response_model=KeyOut,
    summary="Rotate the key that signs",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def rotate_key(
    subscription_id: UUID,
    body: RotationIn,
    caller: SubscriptionsWrite,
    session: Session,
    once: Once,
    cipher: KeysCipher,
) -> Response:
    """A new key signs from now on, and the earlier ones beside it for the overlap: whoever knows
    either can verify meanwhile. Its secret is read with GET."""
    return await once.reply(
        body,
        lambda: service.rotate(session, subscription_id, body, cipher=cipher, caller=caller),
    )
