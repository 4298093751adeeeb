"""Rounds: which are released for dispatch, and what the others wait for."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.payments.listing import ActivationFilter, by_number, page_of_rows
from services.payments.rounds import repository, service
from services.payments.rounds.schemas import ReleaseIn, RoundOut
from services.payments.rounds.states import RoundStatus
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import Int4, PageOf, PageQuery
from shared.values import Whole

router = APIRouter(prefix="/rounds", tags=["rounds"])

RoundNumber = Annotated[int, Whole(least=1, most=2**31 - 1), Path(examples=[1])]


@router.get("", summary="List rounds", responses=problem_responses(400, 401, 403, 422))
async def list_rounds(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    activation_id: ActivationFilter = None,
    status: Annotated[RoundStatus | None, Query(description="Only those in this state.")] = None,
) -> PageOf[RoundOut]:
    """Rounds in the order in which they were announced; one that waits for money, or for two
    persons, says so."""
    rows = await repository.list_rounds(
        session,
        after=page.after(Int4),
        limit=page.fetch_limit,
        activation_id=activation_id,
        status=status,
    )
    return page_of_rows(page, rows, RoundOut, key=by_number)


@router.get("/{number}", summary="Get a round", responses=problem_responses(401, 403, 404, 422))
async def get_round(number: RoundNumber, _: PaymentsRead, session: Session) -> RoundOut:
    """One round, and what it waits for."""
    return await service.get_round(session, number)


@router.post(
    "/{number}/release",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to release a round",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_release(
    number: RoundNumber,
    body: ReleaseIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """For a round above what its fund lets go by itself. Once another person approves it, it is
    reserved and sent, for the amount that was proposed and no other."""
    return await once.reply(
        body,
        lambda: service.propose_release(session, steps, number, body, caller=caller, clock=clock),
        status_code=202,
    )
