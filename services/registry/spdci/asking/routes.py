"""What is on its way to partners, and what is asked of them, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.registry.households.persons import PersonalDataDependency
from services.registry.partners.routes import SenderInPath
from services.registry.scopes import HouseholdsSearch, PartnersRead, PartnersWrite, PersonsRead
from services.registry.settings import ApiSettings
from services.registry.spdci.asking import service
from services.registry.spdci.asking.schemas import (
    DeliveryOut,
    ReceivedMessageOut,
    ReceivedOut,
    SearchAskedOut,
    SearchIn,
    SearchOut,
)
from services.registry.spdci.later.tables import DeliveryStatus
from shared import audit
from shared.audit import showed
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/partners/{sender_id}", tags=["partners"])


@router.get(
    "/deliveries",
    summary="List messages to a partner",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_deliveries(
    sender_id: SenderInPath,
    _: PartnersRead,
    session: Session,
    page: PageQuery,
    status: Annotated[DeliveryStatus | None, Query(description="Only those that stand so.")] = None,
) -> PageOf[DeliveryOut]:
    """What waits, was taken, or was given up, and how the partner answered last: not what it
    says."""
    return await service.list_deliveries(session, sender_id, status=status, page=page)


@router.post(
    "/deliveries/{delivery_id}/replay",
    summary="Send a message to a partner once more",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def replay_delivery(
    sender_id: SenderInPath, delivery_id: UUID, _: PartnersWrite, session: Session
) -> DeliveryOut:
    """What was given up, or stopped, is sent from the first attempt on, under the same id."""
    again = await service.replay(session, sender_id, delivery_id)
    await audit.record(
        session, f"partners/{sender_id}/deliveries/{delivery_id}", after={"status": again.status}
    )
    return again


@router.post(
    "/searches",
    status_code=201,
    response_model=SearchAskedOut,
    summary="Ask a partner's registry",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def ask_partner(
    sender_id: SenderInPath,
    body: SearchIn,
    caller: HouseholdsSearch,
    session: Session,
    request: Request,
    personal_data: PersonalDataDependency,
    once: Once,
) -> Response:
    """Sends the search to `/registry/search` behind the partner's address, again and again until
    it is taken. What the partner answers at our `/spdci/social/registry/on-search` is read here."""
    settings: ApiSettings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.ask(
            session,
            sender_id,
            body,
            settings=settings,
            personal_data=personal_data,
            caller=caller,
        ),
        status_code=201,
    )


@router.get(
    "/searches/{search_id}",
    summary="Read what a partner answered",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_search(
    sender_id: SenderInPath,
    search_id: UUID,
    _: HouseholdsSearch,
    __: PersonsRead,
    session: Session,
    personal_data: PersonalDataDependency,
) -> SearchOut:
    """How the search is sent, and every answer to it: for people who may search. A partner, who is
    shown persons by SPDCI, is not shown those of another."""
    found = await service.search(session, personal_data, sender_id, search_id)
    if found.answers:
        showed(session, f"partners/{sender_id}/searches/{search_id}")
    return found


@router.get(
    "/received",
    summary="List messages of a partner",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_received(
    sender_id: SenderInPath, _: PartnersRead, session: Session, page: PageQuery
) -> PageOf[ReceivedOut]:
    """Answers and notices that it sent of itself, in order: not what they say."""
    return await service.list_received(session, sender_id, page=page)


@router.get(
    "/received/{received_id}",
    summary="Read one message of a partner",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_received(
    sender_id: SenderInPath,
    received_id: UUID,
    _: HouseholdsSearch,
    __: PersonsRead,
    session: Session,
    personal_data: PersonalDataDependency,
) -> ReceivedMessageOut:
    """An answer or a notice as it came: for people who may search."""
    found = await service.received(session, personal_data, sender_id, received_id)
    showed(session, f"partners/{sender_id}/received/{received_id}")
    return found
