"""The integrated beneficiary registry of SPDCI 1.0: who is enrolled in what."""

from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.corrections.service import Corrections
from services.registry.households.persons import PersonalData
from services.registry.scopes import READ_PERSONAL, SPDCI_BENEFICIARIES
from services.registry.settings import ApiSettings
from services.registry.spdci import examples
from services.registry.spdci.applications import application
from services.registry.spdci.beneficiaries.service import Beneficiaries, enrolled
from services.registry.spdci.beneficiaries.updates import Updates, beneficiaries_of
from services.registry.spdci.exchange import Answered, Taken, acknowledge, exchange
from services.registry.spdci.later import status
from services.registry.spdci.later.tables import PartnerRequest
from services.registry.spdci.later.taking import take
from services.registry.spdci.messages.codes import Status
from services.registry.spdci.messages.envelope import Json, require_total, transaction_of
from services.registry.spdci.searches.service import reference_of, requests_of
from shared.ids import new_id

REGISTER = "ibr"
PATH = f"/spdci/{REGISTER}"


def create_ibr() -> FastAPI:
    """The sub-application; ``mounted`` gives it its parent's state."""
    app = application(
        title="Sangkroh: SPDCI integrated beneficiary registry",
        summary="Who is enrolled in what, as the Digital Convergence Initiative's standard asks.",
        description="Interoperability APIs, Integrated Beneficiary Registry 1.0.0. How messages "
        "are signed, and where the text of the standard and its schema disagree, is in "
        "docs/ministries.md.",
    )

    @app.post(
        "/registry/sync/search",
        summary="Search beneficiaries, and be answered at once",
        openapi_extra=examples.body(examples.SEARCH_BENEFICIARIES),
        responses=examples.responses(examples.BENEFICIARIES_FOUND),
    )
    async def sync_search(request: Request) -> Response:
        """Households in schemes, and, for who may see persons, members in routine programmes."""
        return await exchange(
            request,
            scope=SPDCI_BENEFICIARIES,
            action="search",
            answer_action="on-search",
            work=_search,
        )

    @app.post(
        "/registry/search",
        summary="Search beneficiaries, and be answered later",
        openapi_extra=examples.body(examples.SEARCH_BENEFICIARIES),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def later_search(request: Request) -> Response:
        """Keeps the searches and says so. The answer is sent to `/registry/on-search` behind the
        partner's address, again and again until it is taken."""
        return await acknowledge(
            request, scope=SPDCI_BENEFICIARIES, action="search", work=partial(_take_search, request)
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
            scope=SPDCI_BENEFICIARIES,
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
            request,
            scope=SPDCI_BENEFICIARIES,
            action="txn-status",
            work=partial(_take_status, request),
        )

    @app.post(
        "/registry/sync/enrolled",
        summary="Ask whether somebody is enrolled",
        openapi_extra=examples.body(examples.ENROLLED),
        responses=examples.responses(examples.ENROLLED_TOLD),
    )
    async def sync_enrolled(request: Request) -> Response:
        """Yes or no, for a person and a programme or scheme; without one, for any."""
        return await exchange(
            request,
            scope=SPDCI_BENEFICIARIES,
            action="search",
            answer_action="on-search",
            work=_enrolled,
        )

    @app.post(
        "/registry/sync/enrollment/updates",
        summary="Tell who is in a routine programme",
        openapi_extra=examples.body(examples.ENROLMENTS_TOLD),
        responses=examples.responses(examples.ENROLMENTS_TAKEN),
    )
    async def sync_updates(request: Request) -> Response:
        """Members enter or leave a routine programme from today on, each with its own answer. Of
        households that can still be paid, a second person decides."""
        return await exchange(
            request,
            scope=SPDCI_BENEFICIARIES,
            action="notify",
            answer_action="on-notify",
            work=partial(_updates, request),
            counted=False,
        )

    return app


def _beneficiaries(taken: Taken) -> Beneficiaries:
    return Beneficiaries(
        taken.session,
        personal_data=taken.personal_data,
        shows_persons=taken.shows_persons,
        today=taken.today,
    )


async def _search(taken: Taken) -> Answered:
    require_total(taken.header, len(requests_of(taken.message)))
    return await _searched(
        _beneficiaries(taken), taken.message, now=taken.now, correlation_id=new_id()
    )


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


async def _enrolled(taken: Taken) -> Answered:
    require_total(taken.header, 1)
    message = await enrolled(
        _beneficiaries(taken), taken.message, at=taken.now, correlation_id=str(new_id())
    )
    (answer,) = message["enrolled_response"]
    return Answered(message, total=1, status=answer["status"])


async def _updates(request: Request, taken: Taken) -> Answered:
    settings: ApiSettings = request.app.state.settings
    clock = request.app.state.clock
    told = beneficiaries_of(taken.message)
    corrections = Corrections(
        taken.session,
        request.app.state.steps,
        personal_data=taken.personal_data,
        alone=settings.partner_changes_alone,
        caller=taken.caller,
        clock=clock,
    )
    updates = Updates(taken.session, corrections, personal_data=taken.personal_data, clock=clock)
    message = await updates.take(taken.message, at=taken.now, correlation_id=str(new_id()))
    rejected = all(answer["status"] == Status.REJECTED for answer in message["enrolled_response"])
    return Answered(
        message, total=len(told), status=Status.REJECTED if rejected else Status.SUCCEEDED
    )


async def _search_later(
    session: AsyncSession,
    personal_data: PersonalData,
    asked: PartnerRequest,
    message: Json,
    today: date,
) -> Answered:
    searches = Beneficiaries(
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


WORKS = {
    (REGISTER, "search"): ("on-search", "/registry/on-search", _search_later),
    (REGISTER, "txn-status"): ("txn-on-status", "/registry/txn/on-status", _status_later),
}
"""What is answered later: the answer's action, its path at the partner, and what answers."""


async def _searched(
    searches: Beneficiaries, message: Json, *, now: datetime, correlation_id: UUID
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
