"""Decisions about what rules hold."""

from fastapi import APIRouter, Response

from services.payments.decisions import service
from services.payments.decisions.schemas import HoldDecisionsIn
from services.payments.scopes import PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once

router = APIRouter(prefix="/holds", tags=["holds"])


@router.post(
    "/decisions",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose what becomes of held payments",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose(
    body: HoldDecisionsIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """A list of payments, or all of one sort as they are now. The proposal says how many they are,
    how much money, and how many each rule holds. Once another person approves it they are sent, or
    cancelled; `GET /v1/resolutions/{resolution_id}`, whose id is the proposal's, says what became
    of each."""
    return await once.reply(
        body,
        lambda: service.propose(session, steps, body, caller=caller, clock=clock),
        status_code=202,
    )
