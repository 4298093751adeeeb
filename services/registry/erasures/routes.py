"""Households whose time is over, over HTTP."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.registry.erasures import service
from services.registry.erasures.schemas import DueForErasureOut, ErasuresIn, ErasuresOut
from services.registry.scopes import HouseholdsRead, HouseholdsWrite
from services.registry.settings import Settings
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/households", tags=["households"])


@router.get(
    "/erasures-due",
    summary="List households whose time is over",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_due_for_erasure(
    _: HouseholdsRead, session: Session, clock: ClockDependency, page: PageQuery, request: Request
) -> PageOf[DueForErasureOut]:
    """Those that were archived more than `REGISTRY_ARCHIVED_MONTHS` ago and paid nothing in the
    last `REGISTRY_ACCOUNTING_MONTHS`, with nothing under way: no activation that can still pay, no
    appeal, no suspicion, no proposal. Nothing erases them by itself: somebody asks for it, and a
    second person agrees, for one household or for all that are due."""
    settings: Settings = request.app.state.settings
    return await service.list_due(session, settings=settings, page=page, now=clock.now())


@router.post(
    "/erasures",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ApprovalOut,
    summary="Propose to erase all households whose time is over",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def propose_erasures(
    body: ErasuresIn,
    caller: HouseholdsWrite,
    session: Session,
    steps: TwoPersonSteps,
    clock: ClockDependency,
    request: Request,
    once: Once,
) -> Response:
    """One proposal for all that are due now, 100,000 at most. Once a second person approves it, the
    worker erases them some hundreds at a time, and passes over whomever the rule does not hold for
    any more. Which they are is kept with the proposal: nobody is added to it later."""
    settings: Settings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.propose(
            session, steps, body, settings=settings, caller=caller, clock=clock
        ),
        status_code=HTTPStatus.ACCEPTED,
    )


@router.get(
    "/erasures/{batch_id}",
    summary="See how far an erasure of many is",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_erasures(
    batch_id: UUID, _: HouseholdsRead, session: Session, clock: ClockDependency
) -> ErasuresOut:
    """How many households it is for, how many are erased so far, and how many are passed over."""
    return await service.get(session, batch_id, now=clock.now())
