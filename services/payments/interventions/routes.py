"""What officers may propose about a single payment."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.payments.interventions import service
from services.payments.interventions.schemas import AttemptIn, ResolutionIn
from services.payments.scopes import PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once

router = APIRouter(prefix="/instructions", tags=["instructions"])


@router.post(
    "/{instruction_id}/attempts",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to try a rejected payment again",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_attempt(
    request: Request,
    instruction_id: UUID,
    body: AttemptIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """For a payment that was definitely rejected. Once another person approves it, it is a new
    instruction into the same account, with money reserved anew; by another provider where a
    [route](#tag/routing) says so, which the proposal tells."""
    return await once.reply(
        body,
        lambda: service.propose_attempt(
            session,
            steps,
            instruction_id,
            reason=body.reason,
            caller=caller,
            settings=request.app.state.settings,
            clock=clock,
        ),
        status_code=202,
    )


@router.post(
    "/{instruction_id}/resolution",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose how a payment ended",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_resolution(
    instruction_id: UUID,
    body: ResolutionIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Where the provider's answers contradict our order or each other, or where none comes; a
    settled payment that came back is recorded as returned, one that was not sent is cancelled.
    Nothing moves before another person approves it."""
    return await once.reply(
        body,
        lambda: service.propose_resolution(
            session, steps, instruction_id, body, caller=caller, clock=clock
        ),
        status_code=202,
    )
