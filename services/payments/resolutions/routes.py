"""Resolutions: two persons decide how payments ended that the system cannot decide on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.payments.resolutions import service
from services.payments.resolutions.schemas import ResolutionItemOut, ResolutionOut, ResolutionsIn
from services.payments.resolutions.states import Result
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/resolutions", tags=["resolutions"])


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose how payments ended",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose(
    body: ResolutionsIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """A list of payments, or all of one sort as they are now. Nothing moves before another person
    approves it; then each payment that is still as it was is moved, and says what became of it:
    `GET /v1/resolutions/{resolution_id}`, whose id is the proposal's."""
    return await once.reply(
        body,
        lambda: service.propose(session, steps, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.get("", summary="List resolutions", responses=problem_responses(400, 401, 403, 422))
async def list_resolutions(
    _: PaymentsRead, session: Session, page: PageQuery, clock: ClockDependency
) -> PageOf[ResolutionOut]:
    """Every resolution with how far it is carried out, oldest first."""
    return await service.list_page(session, page, clock=clock)


@router.get(
    "/{resolution_id}",
    summary="Get a resolution",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_resolution(
    resolution_id: UUID, _: PaymentsRead, session: Session, clock: ClockDependency
) -> ResolutionOut:
    """What was proposed, what was decided, and how far it is carried out."""
    return await service.get(session, resolution_id, clock=clock)


@router.get(
    "/{resolution_id}/items",
    summary="List a resolution's payments",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_items(
    resolution_id: UUID,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    result: Annotated[Result | None, Query(description="Only those with this result.")] = None,
) -> PageOf[ResolutionItemOut]:
    """Each payment of the resolution, with what became of it and why."""
    return await service.list_items(session, resolution_id, page, result=result)
