"""The social registry of SPDCI 1.0: an application of its own, under the registry's.

Its envelope and its errors are the standard's, so it shares no handler with the rest of the API.
"""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.scopes import READ_PERSONAL, SPDCI_SOCIAL
from services.registry.spdci import examples
from services.registry.spdci.exchange import (
    Answered,
    Taken,
    acknowledge,
    exchange,
    http_error,
    public_keys,
)
from services.registry.spdci.later import status
from services.registry.spdci.later.tables import PartnerRequest
from services.registry.spdci.later.taking import take
from services.registry.spdci.messages.codes import ErrorCode, Status
from services.registry.spdci.messages.envelope import (
    Json,
    Refused,
    require_total,
    transaction_of,
)
from services.registry.spdci.searches.service import Searches, reference_of, requests_of
from shared.ids import new_id

REGISTER = "social"
PATH = f"/spdci/{REGISTER}"


def create_social() -> FastAPI:
    """The sub-application; ``mounted`` gives it its parent's state."""
    app = FastAPI(
        title="Sangkroh: SPDCI social registry",
        summary="Who is registered, as the Digital Convergence Initiative's standard asks.",
        description="Interoperability APIs, Social Registry 1.0.0. How messages are signed, and "
        "where the text of the standard and its schema disagree, is in docs/ministries.md.",
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
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

    @app.get("/.well-known/jwks.json", summary="Our public keys")
    async def jwks(request: Request) -> dict[str, Any]:
        """What verifies our signatures: a JSON Web Key Set (RFC 7517)."""
        return {"keys": public_keys(request.app.state.settings)}

    @app.exception_handler(404)
    async def no_such_path(request: Request, _: Exception) -> Response:
        return http_error(
            Refused(404, ErrorCode.NOT_FOUND, "The standard has no such address here.")
        )

    @app.exception_handler(405)
    async def another_method(request: Request, _: Exception) -> Response:
        return JSONResponse(
            {"errors": [{"code": ErrorCode.BAD.value, "message": "Messages are sent by POST."}]},
            status_code=405,
        )

    return app


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


async def _status(taken: Taken) -> Answered:
    require_total(taken.header, 1)
    return await status.status_of(
        taken.session, taken.personal_data, taken.message, sender_id=taken.partner.sender_id
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
    return await status.status_of(session, personal_data, message, sender_id=asked.sender_id)


WORKS = {
    (REGISTER, "search"): ("on-search", "/registry/on-search", _search_later),
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
