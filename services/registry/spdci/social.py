"""The social registry of SPDCI 1.0: an application of its own, under the registry's.

Its envelope and its errors are the standard's, so it shares no handler with the rest of the API.
"""

from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.scopes import READ_PERSONAL, SPDCI_SOCIAL
from services.registry.spdci import examples
from services.registry.spdci.applications import application
from services.registry.spdci.asking import service as asking
from services.registry.spdci.exchange import (
    Answered,
    Taken,
    acknowledge,
    exchange,
)
from services.registry.spdci.later import status
from services.registry.spdci.later.tables import PartnerRequest
from services.registry.spdci.later.taking import take
from services.registry.spdci.messages.codes import Status
from services.registry.spdci.messages.envelope import (
    Json,
    require_total,
    transaction_of,
)
from services.registry.spdci.searches.service import Searches, reference_of, requests_of
from services.registry.spdci.subscriptions import service as subscriptions
from shared.ids import new_id

REGISTER = "social"
PATH = f"/spdci/{REGISTER}"


def create_social() -> FastAPI:
    """The sub-application; ``mounted`` gives it its parent's state."""
    app = application(
        title="Sangkroh: SPDCI social registry",
        summary="Who is registered, as the Digital Convergence Initiative's standard asks.",
        description="Interoperability APIs, Social Registry 1.0.0. How messages are signed, and "
        "where the text of the standard and its schema disagree, is in docs/ministries.md.",
    )

    @app.post(
        "/registry/sync/search",
        summary="Search, and be answered at once",
        openapi_extra=examples.body(examples.SEARCH),
        responses=examples.responses(examples.SEARCHED),
    )
    async def sync_search(request: Request) -> Response:
        """Searches households (Group), or their members (Member), by a number, an expression or
        predicates. What is wrong with one search is said in its answer, the others are answered."""
        return await exchange(
            request,
            scope=SPDCI_SOCIAL,
            action="search",
            answer_action="on-search",
            work=_search,
        )

    @app.post(
        "/registry/search",
        summary="Search, and be answered later",
        openapi_extra=examples.body(examples.SEARCH),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def later_search(request: Request) -> Response:
        """Keeps the searches and says so. The answer is sent to `/registry/on-search` behind the
        partner's address, again and again until it is taken."""
        return await acknowledge(
            request, scope=SPDCI_SOCIAL, action="search", work=partial(_take_search, request)
        )

    @app.post(
        "/registry/subscribe",
        summary="Subscribe to what happens to households",
        openapi_extra=examples.body(examples.SUBSCRIBE),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def later_subscribe(request: Request) -> Response:
        """Keeps what is wanted and says so. `/registry/on-subscribe` behind the partner's address
        is told the codes, and from then on `/registry/notify` what happens."""
        return await acknowledge(
            request, scope=SPDCI_SOCIAL, action="subscribe", work=partial(_take_subscribe, request)
        )

    @app.post(
        "/registry/unsubscribe",
        summary="End subscriptions",
        openapi_extra=examples.body(examples.UNSUBSCRIBE),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def later_unsubscribe(request: Request) -> Response:
        """Ends them, and says so to `/registry/on-unsubscribe`."""
        return await acknowledge(
            request,
            scope=SPDCI_SOCIAL,
            action="unsubscribe",
            work=partial(_take_unsubscribe, request),
        )

    @app.post(
        "/registry/sync/txn/status",
        summary="Ask how what was asked stands",
        openapi_extra=examples.body(examples.TXN_STATUS),
        responses=examples.responses(examples.TXN_STATUS_TOLD),
    )
    async def sync_status(request: Request) -> Response:
        """How what is answered later stands: pending, or its answer once more."""
        return await exchange(
            request,
            scope=SPDCI_SOCIAL,
            action="txn-status",
            answer_action="txn-on-status",
            work=_status,
        )

    @app.post(
        "/registry/txn/status",
        summary="Ask how what was asked stands, and be answered later",
        openapi_extra=examples.body(examples.TXN_STATUS),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def later_status(request: Request) -> Response:
        """As `/registry/sync/txn/status`; the answer is sent to `/registry/txn/on-status`."""
        return await acknowledge(
            request, scope=SPDCI_SOCIAL, action="txn-status", work=partial(_take_status, request)
        )

    for action in ("on-search", "on-subscribe", "on-unsubscribe", "notify", "txn-on-status"):
        _call_back(app, action)
    return app


def _call_back(app: FastAPI, action: str) -> None:
    """Take what a partner's registry answers to us, or tells us of itself."""
    path = "/registry/txn/on-status" if action == "txn-on-status" else f"/registry/{action}"

    @app.post(
        path,
        name=action,
        summary=f"Be sent {action}, as a client",
        operation_id=action.replace("-", "_"),
        openapi_extra=examples.body(examples.CALLBACKS[action]),
        responses=examples.responses(examples.NOTHING_FOLLOWS),
    )
    async def called_back(request: Request) -> Response:
        """Kept once, however often it comes, and read at `/v1/partners/{sender_id}/received`; what
        answers a search of ours also with that search."""
        return await acknowledge(
            request, scope=SPDCI_SOCIAL, action=action, work=asking.keep, called_back=True
        )


async def _search(taken: Taken) -> Answered:
    require_total(taken.header, len(requests_of(taken.message)))
    searches = Searches(
        taken.session,
        personal_data=taken.personal_data,
        shows_persons=taken.shows_persons,
        today=taken.today,
    )
    return await _searched(searches, taken.message, now=taken.now, correlation_id=new_id())


async def _take_search(request: Request, taken: Taken) -> Json:
    requests = requests_of(taken.message)
    require_total(taken.header, len(requests))
    return await take(
        taken,
        register=REGISTER,
        reference_ids=[reference for each in requests if (reference := reference_of(each))],
        settings=request.app.state.settings,
        request=request,
    )


async def _take_subscribe(request: Request, taken: Taken) -> Json:
    require_total(taken.header, len(subscriptions.requests_of(taken.message)))
    return await take(
        taken,
        register=REGISTER,
        reference_ids=subscriptions.references_of(taken.message),
        settings=request.app.state.settings,
        request=request,
    )


async def _take_unsubscribe(request: Request, taken: Taken) -> Json:
    codes = subscriptions.codes_of(taken.message)
    if taken.header.total_count != len(codes):
        require_total(taken.header, 1)
    return await take(
        taken,
        register=REGISTER,
        reference_ids=codes,
        settings=request.app.state.settings,
        request=request,
    )


async def _status(taken: Taken) -> Answered:
    require_total(taken.header, 1)
    return await status.status_of(
        taken.session,
        taken.personal_data,
        taken.message,
        sender_id=taken.partner.sender_id,
        register=REGISTER,
    )


async def _take_status(request: Request, taken: Taken) -> Json:
    require_total(taken.header, 1)
    return await take(
        taken,
        register=REGISTER,
        reference_ids=[status.reference_of(taken.message)],
        settings=request.app.state.settings,
        request=request,
    )


async def _search_later(
    session: AsyncSession,
    personal_data: PersonalData,
    asked: PartnerRequest,
    message: Json,
    today: date,
) -> Answered:
    searches = Searches(
        session,
        personal_data=personal_data,
        shows_persons=READ_PERSONAL in asked.scopes,
        today=today,
    )
    return await _searched(searches, message, now=datetime.now(UTC), correlation_id=asked.id)


async def _status_later(
    session: AsyncSession,
    personal_data: PersonalData,
    asked: PartnerRequest,
    message: Json,
    _: date,
) -> Answered:
    return await status.status_of(
        session, personal_data, message, sender_id=asked.sender_id, register=REGISTER
    )


async def _subscribe_later(
    session: AsyncSession,
    personal_data: PersonalData,
    asked: PartnerRequest,
    message: Json,
    _: date,
) -> Answered:
    return await subscriptions.subscribe(session, personal_data, asked, message)


async def _unsubscribe_later(
    session: AsyncSession,
    _: PersonalData,
    asked: PartnerRequest,
    message: Json,
    __: date,
) -> Answered:
    return await subscriptions.unsubscribe(session, asked, message)


WORKS = {
    (REGISTER, "search"): ("on-search", "/registry/on-search", _search_later),
    (REGISTER, "subscribe"): ("on-subscribe", "/registry/on-subscribe", _subscribe_later),
    (REGISTER, "unsubscribe"): ("on-unsubscribe", "/registry/on-unsubscribe", _unsubscribe_later),
    (REGISTER, "txn-status"): ("txn-on-status", "/registry/txn/on-status", _status_later),
}
"""What is answered later: the answer's action, its path at the partner, and what answers."""


async def _searched(
    searches: Searches, message: Json, *, now: datetime, correlation_id: UUID
) -> Answered:
    requests = requests_of(message)
    answers = await searches.answer(requests, now=now)
    rejected = all(answer["status"] == Status.REJECTED for answer in answers)
    return Answered(
        {
            "transaction_id": transaction_of(message),
            "correlation_id": str(correlation_id),
            "search_response": answers,
        },
        total=len(requests),
        status=Status.REJECTED if rejected else Status.SUCCEEDED,
    )
