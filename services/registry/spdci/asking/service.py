"""Asking partners, and keeping what they answer and tell: nothing is sent inside a transaction."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.partners.repository import find_partner
from services.registry.settings import ApiSettings
from services.registry.spdci.asking import repository
from services.registry.spdci.asking.schemas import (
    DeliveryOut,
    ReceivedMessageOut,
    ReceivedOut,
    SearchAskedOut,
    SearchIn,
    SearchOut,
)
from services.registry.spdci.later import repository as deliveries
from services.registry.spdci.later.sealing import seal, seal_delivery, unseal
from services.registry.spdci.later.tables import (
    DeliveryStatus,
    PartnerCallback,
    PartnerDelivery,
)
from services.registry.spdci.messages.codes import Ack, ErrorCode
from services.registry.spdci.messages.envelope import (
    VERSION,
    Json,
    Refused,
    transaction_of,
    written,
)
from services.registry.spdci.messages.exchange import Taken
from shared.addresses import refusal_of, url_of
from shared.auth import Caller
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf

_ANSWERS_OF_SEARCHES = ("on-search", "txn-on-status")
_MAXIMUM_ANSWERS = 100
"""A search may be answered page by page, each in a message of its own."""


async def ask(
    session: AsyncSession,
    sender_id: str,
    given: SearchIn,
    *,
    settings: ApiSettings,
    personal_data: PersonalData,
    caller: Caller,
) -> SearchAskedOut:
    """Have a search sent to a partner; raises NotFound, Conflict."""
    partner = await find_partner(session, sender_id)
    if partner is None:
        raise NotFound("There is no such partner. GET /v1/partners lists them.")
    if partner.ended_at is not None:
        raise Conflict("The partner has ended: nothing is sent to it.")
    if partner.callback_url is None:
        raise Conflict("No address of the partner is known: propose it with its callback_url.")
    if refusal_of(url_of(partner.callback_url), settings.partner_judge):
        raise Conflict("The partner's address leads inwards by now: propose its new one.")
    search_id, message_id, now = new_id(), new_id(), datetime.now(UTC)
    header: Json = {
        "version": VERSION,
        "message_id": str(message_id),
        "message_ts": written(now),
        "action": "search",
        "sender_id": settings.spdci_sender_id,
        "receiver_id": sender_id,
        "total_count": 1,
        "is_msg_encrypted": False,
    }
    message: Json = {
        "transaction_id": str(search_id),
        "search_request": [
            {
                "reference_id": str(search_id),
                "timestamp": written(now),
                "search_criteria": given.criteria(),
                "locale": "eng",
            }
        ],
    }
    await repository.add_search(
        session,
        id=search_id,
        sender_id=sender_id,
        delivery_id=message_id,
        asked_by=caller.subject,
        asked_at=now,
    )
    await deliveries.add_delivery(
        session,
        id=message_id,
        sender_id=sender_id,
        partner_request_id=None,
        url=f"{partner.callback_url.rstrip('/')}/registry/search",
        action="search",
        message_sealed=seal_delivery(personal_data, header, message, bound_to=message_id.bytes),
    )
    return SearchAskedOut(id=search_id, sender_id=sender_id)


async def keep(taken: Taken) -> Json:
    """Keep what a partner sent, once however often it comes; what is acknowledged."""
    transaction_id = transaction_of(taken.message)
    if taken.header.action in _ANSWERS_OF_SEARCHES:
        try:
            asked = await repository.find_search(
                taken.session, taken.partner.sender_id, UUID(transaction_id)
            )
        except ValueError:
            asked = None
        if asked is None:
            raise Refused(400, ErrorCode.BAD, "Nothing was asked of you under this transaction_id.")
    callback_id = new_id()
    await repository.add_callback(
        taken.session,
        id=callback_id,
        sender_id=taken.partner.sender_id,
        message_id=taken.header.message_id,
        action=taken.header.action,
        transaction_id=transaction_id,
        message_sealed=seal(taken.personal_data, taken.message, bound_to=callback_id.bytes),
        received_at=taken.now,
    )
    return {
        # The standard's word for: taken, and nothing follows of it.
        "ack_status": Ack.NOTHING_FOLLOWS.value,
        "timestamp": written(taken.now),
        "correlation_id": str(callback_id),
    }


async def search(
    session: AsyncSession, personal_data: PersonalData, sender_id: str, search_id: UUID
) -> SearchOut:
    """A search with what was answered; raises NotFound."""
    found = await repository.find_search(session, sender_id, search_id)
    if found is None:
        raise NotFound("No such search was sent to this partner.")
    asked, delivery = found
    answers = await repository.callbacks_of(
        session, sender_id, str(search_id), most=_MAXIMUM_ANSWERS
    )
    return SearchOut(
        id=asked.id,
        sender_id=sender_id,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        delivery=None if delivery is None else _shown(delivery),
        answers=[_opened(personal_data, each) for each in answers],
    )


async def list_received(
    session: AsyncSession, sender_id: str, *, page: Page
) -> PageOf[ReceivedOut]:
    """A page of what a partner sent, in order; raises NotFound."""
    await _require(session, sender_id)
    rows = await repository.list_callbacks(
        session, sender_id, after=page.after(UUID), limit=page.fetch_limit
    )
    shown = [ReceivedOut.model_validate(row, from_attributes=True) for row in rows]
    return page.of(shown, key=lambda each: (each.id,))


async def received(
    session: AsyncSession, personal_data: PersonalData, sender_id: str, callback_id: UUID
) -> ReceivedMessageOut:
    """One message that a partner sent; raises NotFound."""
    found = await repository.find_callback(session, sender_id, callback_id)
    if found is None:
        raise NotFound("This partner sent no such message.")
    return _opened(personal_data, found)


async def list_deliveries(
    session: AsyncSession, sender_id: str, *, status: DeliveryStatus | None, page: Page
) -> PageOf[DeliveryOut]:
    """A page of what is sent to a partner, in order; raises NotFound."""
    await _require(session, sender_id)
    rows = await repository.list_deliveries(
        session, sender_id, status=status, after=page.after(UUID), limit=page.fetch_limit
    )
    return page.of([_shown(row) for row in rows], key=lambda each: (each.id,))


async def replay(session: AsyncSession, sender_id: str, delivery_id: UUID) -> DeliveryOut:
    """Send once more what was given up; raises NotFound, Conflict."""
    ended_at = await _require(session, sender_id)
    if await repository.find_delivery(session, sender_id, delivery_id) is None:
        raise NotFound("There is no such message to this partner.")
    if ended_at is not None:
        raise Conflict("The partner has ended: nothing is sent to it.")
    if not await repository.replay(session, sender_id, delivery_id):
        raise Conflict("It was taken already, or is on its way: only what was given up is sent.")
    again = await repository.find_delivery(session, sender_id, delivery_id)
    assert again is not None
    return _shown(again)


async def _require(session: AsyncSession, sender_id: str) -> datetime | None:
    """When a partner ended; raises NotFound."""
    partner = await find_partner(session, sender_id)
    if partner is None:
        raise NotFound("There is no such partner. GET /v1/partners lists them.")
    return partner.ended_at


def _shown(delivery: PartnerDelivery) -> DeliveryOut:
    return DeliveryOut.model_validate(delivery, from_attributes=True)


def _opened(personal_data: PersonalData, callback: PartnerCallback) -> ReceivedMessageOut:
    return ReceivedMessageOut(
        id=callback.id,
        action=callback.action,
        message_id=callback.message_id,
        transaction_id=callback.transaction_id,
        received_at=callback.received_at,
        message=unseal(personal_data, callback.message_sealed, bound_to=callback.id.bytes),
    )
