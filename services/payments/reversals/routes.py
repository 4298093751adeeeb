"""Reversals over HTTP: a mistake is corrected by another transfer, never by an edit."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.payments.reversals import repository, service
from services.payments.reversals.schemas import ReversalIn, ReversalOut
from services.payments.scopes import FundsRead, FundsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/reversals", tags=["funds"])


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to take a deposit or prefunding back",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_reversal(
    body: ReversalIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """What was recorded wrongly is taken back whole once another person approves it, and recorded
    anew as it should have been. Both stay to be read. It is refused where the money is promised,
    spent or sent already."""
    return await once.reply(
        body,
        lambda: service.propose(session, steps, body, caller=caller, clock=clock),
        status_code=202,
    )


@router.get("", summary="List reversals", responses=problem_responses(400, 401, 403, 422))
async def list_reversals(_: FundsRead, session: Session, page: PageQuery) -> PageOf[ReversalOut]:
    """Every deposit and prefunding that was taken back, in the order of the proposals."""
    rows = await repository.list_reversals(session, after=page.after(UUID), limit=page.fetch_limit)
    return page.of(
        [ReversalOut.model_validate(row._asdict()) for row in rows],
        key=lambda reversal: (reversal.id,),
    )


@router.get(
    "/{reversal_id}", summary="Get a reversal", responses=problem_responses(401, 403, 404, 422)
)
async def get_reversal(reversal_id: UUID, _: FundsRead, session: Session) -> ReversalOut:
    """What was taken back, by whom and why."""
    return await service.get(session, reversal_id)
