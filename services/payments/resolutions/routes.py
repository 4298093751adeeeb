"""Resolutions: two persons decide how payments ended that the system cannot decide on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.payments.resolutions import service
from services.payments.resolutions.schemas import ResolutionItemOut, ResolutionOut, ResolutionsIn
from services.payments.resolutions.states import Result
from services.payments.scopes import PaymentsApprove, PaymentsRead, PaymentsWrite
from shared.approvals import Decision
from shared.approvals.routes import TwoPersonSteps
from shared.approvals.schemas import DecisionIn
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/resolutions", tags=["resolutions"])


@router.post(
    "",
    status_code=201,
    response_model=ResolutionOut,
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
    approves it; then each payment that is still as it was is moved, and says what became of it."""
    return await once.reply(
        body, lambda: service.propose(session, steps, body, caller=caller, clock=clock)
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


@router.post(
    "/{resolution_id}/approval",
    summary="Approve a resolution",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def approve(
    resolution_id: UUID,
    body: DecisionIn,
    caller: PaymentsApprove,
    session: Session,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> ResolutionOut:
    """Has it carried out, in sets; whoever proposed it cannot approve it."""
    return await service.decide(
        session,
        steps,
        resolution_id,
        Decision.APPROVED,
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


@router.post(
    "/{resolution_id}/refusal",
    summary="Decline a resolution",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def decline(
    resolution_id: UUID,
    body: DecisionIn,
    caller: PaymentsApprove,
    session: Session,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> ResolutionOut:
    """Closes it without moving anything."""
    return await service.decide(
        session,
        steps,
        resolution_id,
        Decision.DECLINED,
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


@router.delete(
    "/{resolution_id}",
    summary="Withdraw a resolution",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def withdraw(
    resolution_id: UUID,
    caller: PaymentsWrite,
    session: Session,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> ResolutionOut:
    """Closes one's own proposal while it waits; it stays to be read."""
    return await service.withdraw(session, steps, resolution_id, caller=caller, clock=clock)
