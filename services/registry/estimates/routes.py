"""Schemes over HTTP: proposed with what they would come to, and estimated by themselves."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.estimates import service
from services.registry.estimates.asking import Told, payments_of
from services.registry.estimates.schemas import DocumentEstimateIn, EstimateIn, EstimateOut
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import SCHEMES
from services.registry.scopes import HouseholdsRead, SchemesRead, SchemesWrite
from shared.clock import Clock, ClockDependency
from shared.database import Session
from shared.documents import Code, Foreseen
from shared.documents.routes import document_routes
from shared.errors import problem_responses

CodePath = Annotated[Code, Path(examples=["flood-2022"])]

estimates = APIRouter(prefix="/schemes", tags=["schemes"])


@estimates.post(
    "/estimate",
    summary="Estimate a scheme that is not posted",
    responses=problem_responses(400, 401, 403, 422, 503),
)
async def estimate_document(
    body: DocumentEstimateIn,
    _: HouseholdsRead,
    request: Request,
    session: Session,
    clock: ClockDependency,
) -> EstimateOut:
    """Whom a document would pay, and what: by area, round and provider, with whose accounts are
    missing, and whether the fund and the providers have the money.

    A POST because there are thousands of areas; it changes nothing.
    """
    told = await payments_of(request).about(body.document.fund)
    return await service.estimate(
        session, body.document, body, version=None, told=told, clock=clock
    )


@estimates.post(
    "/{code}/estimate",
    summary="Estimate a scheme, or an activation of it",
    responses=problem_responses(400, 401, 403, 404, 422, 503),
)
async def estimate_scheme(
    code: CodePath,
    body: EstimateIn,
    _: SchemesRead,
    request: Request,
    session: Session,
    clock: ClockDependency,
) -> EstimateOut:
    """The same of a version that is posted, for the areas and the filter of an activation, say.

    A POST because there are thousands of areas; it changes nothing.
    """
    payments = payments_of(request)
    # On a connection of its own: while payments is asked, nothing is held.
    async with payments.database.reading() as before:
        version, document = await service.get_version(before, code, body.version)
    told = await payments.about(document.fund)
    return await service.estimate(session, document, body, version=version, told=told, clock=clock)


async def _ask_payments(request: Request, document: SchemeDocument) -> tuple[Told, Clock]:
    """What payments says of what a scheme is paid from; raises a Problem for a line it has not."""
    told = await payments_of(request).about(document.fund, lines=document.budget_line is not None)
    service.require_line(document, told)
    return told, request.app.state.clock


async def _foresee(
    session: AsyncSession, document: SchemeDocument, told: tuple[Told, Clock]
) -> Foreseen:
    """What a scheme would come to in the whole country, as whoever decides about it sees it."""
    of_payments, clock = told
    found = await service.estimate_country(session, document, told=of_payments, clock=clock)
    if found is None:
        missing = await service.not_said(session, document, of_payments)
        return Foreseen(what=" ".join(missing) or None, beside={"estimate": None})
    return Foreseen(
        what=service.in_words(found),
        households=found.households,
        amount_minor=found.amount_minor,
        currency=found.currency,
        beside={"estimate": found.model_dump(mode="json")},
    )


router = document_routes(
    SCHEMES,
    ApprovalKind.SCHEME,
    prefix="/schemes",
    tag="schemes",
    reader=SchemesRead,
    writer=SchemesWrite,
    example_code="flood-2022",
    posted="Proposes version 1 of a programme: who is eligible, what they get, in which rounds. "
    "What it refers to is checked, and what it would come to stands in the proposal.",
    versioned="Holds for activations that open from now on; those under way keep their version.",
    before=_ask_payments,
    foresee=_foresee,
)
