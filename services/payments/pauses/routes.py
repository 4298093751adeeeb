"""Pauses: one person stops money at once; two let it go again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.payments.existence import look_up
from services.payments.pauses import service
from services.payments.pauses.schemas import (
    PauseIn,
    PauseMadeOut,
    PauseOut,
    PauseWithWaitingOut,
    ResumptionIn,
)
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/pauses", tags=["pauses"])


@router.post(
    "",
    status_code=201,
    response_model=PauseMadeOut,
    summary="Pause payments",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def pause(
    body: PauseIn,
    caller: PaymentsWrite,
    session: Session,
    request: Request,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """One person may, at once: it only stops money. Nothing that it names is claimed any more by
    any worker once this is answered, and what was claimed before and has not left is given back
    within a second. What has left is asked about and comes to its end. A scheme, activation, area
    or provider that does not exist is refused; where the registry does not say within two seconds,
    `not_checked` does."""
    named = await look_up(
        request.app.state.registry,
        scheme=body.scheme,
        activation_id=body.activation_id,
        area=body.area,
        authorization=request.headers["Authorization"],
    )
    return await once.reply(
        body,
        lambda: service.pause(session, body, named=named, caller=caller, clock=clock),
        status_code=201,
    )


@router.get("", summary="List pauses", responses=problem_responses(400, 401, 403, 422))
async def list_pauses(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    resumed: Annotated[bool, Query(description="Also those that were resumed.")] = False,
) -> PageOf[PauseOut]:
    """Pauses in force, oldest first, each with its reason, who made it, and its age."""
    return await service.list_page(session, page, resumed=resumed, clock=clock)


@router.get("/{pause_id}", summary="Get a pause", responses=problem_responses(401, 403, 404, 422))
async def get_pause(
    pause_id: UUID, _: PaymentsRead, session: Session, clock: ClockDependency
) -> PauseWithWaitingOut:
    """One pause, and how many payments and how much money wait for it."""
    return await service.get(session, pause_id, clock=clock)


@router.post(
    "/{pause_id}/resumption",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to resume",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_resumption(
    pause_id: UUID,
    body: ResumptionIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """It lets money go, so another person approves it; then what no other pause keeps is sent by
    itself."""
    return await once.reply(
        body,
        lambda: service.propose_resumption(
            session, steps, pause_id, reason=body.reason, caller=caller, clock=clock
        ),
        status_code=202,
    )
