"""What an officer may decide about a single payment."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.payments.instructions.moves import InstructionMoves
from services.payments.instructions.schemas import InstructionHistoryOut
from services.payments.interventions import service
from services.payments.interventions.schemas import (
    AttemptIn,
    CancellationIn,
    InstructionProposalOut,
    ResolutionIn,
)
from services.payments.scopes import PaymentsWrite
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once

router = APIRouter(prefix="/instructions", tags=["instructions"])


def _instruction_moves(request: Request) -> InstructionMoves:
    moves: InstructionMoves = request.app.state.instruction_moves
    return moves


Moves = Annotated[InstructionMoves, Depends(_instruction_moves)]


@router.post(
    "/{instruction_id}/attempts",
    status_code=201,
    response_model=InstructionHistoryOut,
    summary="Try a rejected payment again",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def attempt_again(
    instruction_id: UUID,
    body: AttemptIn,
    _: PaymentsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """Raises a new instruction after a definite rejection, with money reserved anew."""
    return await once.reply(
        body,
        lambda: service.attempt_again(session, instruction_id, reason=body.reason, at=clock.now()),
        status_code=201,
    )


@router.post(
    "/{instruction_id}/resolution",
    status_code=201,
    response_model=InstructionProposalOut,
    summary="Propose how a payment ended",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def resolve(
    instruction_id: UUID,
    body: ResolutionIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Proposes a decision where the provider's answers contradict our order or each other, or
    where none comes; a settled payment that came back is recorded as returned. Nothing moves
    before another person approves it: `POST /v1/resolutions/{resolution_id}/approval`."""
    return await once.reply(
        body,
        lambda: service.propose_resolution(
            session, steps, instruction_id, body, caller=caller, clock=clock
        ),
        status_code=201,
    )


@router.post(
    "/{instruction_id}/cancellation",
    status_code=201,
    response_model=InstructionHistoryOut,
    summary="Cancel a payment",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def cancel(
    instruction_id: UUID,
    body: CancellationIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    moves: Moves,
) -> Response:
    """Takes a payment out that was not sent yet; what was reserved for it is free again."""
    return await once.reply(
        body,
        lambda: service.cancel(
            session, instruction_id, note=body.reason, actor=caller.subject, moves=moves
        ),
        status_code=201,
    )
