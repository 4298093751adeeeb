"""Differences between statements and our books: listed, given to persons, ended by two."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.payments.differences import service
from services.payments.differences.repository import DifferenceStatus, Filter
from services.payments.differences.schemas import (
    AssignmentIn,
    DifferenceOut,
    DifferenceResolutionIn,
)
from services.payments.reconciliation.kinds import DifferenceKind
from services.payments.scopes import PaymentsRead, StatementsWrite
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery
from shared.values import Day, Text, Whole

router = APIRouter(prefix="/differences", tags=["differences"])

Number = Annotated[int, Whole(least=1, most=2**63 - 1)]


@router.get("", summary="List differences", responses=problem_responses(400, 401, 403, 422))
async def list_differences(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
    status: Annotated[
        DifferenceStatus | None, Query(description="Only those that are open, or have their end.")
    ] = None,
    provider: Annotated[
        str | None,
        Query(pattern="^[a-z0-9-]{1,32}$", max_length=32, description="Only this provider's."),
    ] = None,
    day: Annotated[Day | None, Query(description="Only those of this day's statements.")] = None,
    kind: Annotated[DifferenceKind | None, Query(description="Only those of this kind.")] = None,
    assigned_to: Annotated[
        Annotated[str, Text(longest=200)] | None, Query(description="Only those of this person.")
    ] = None,
    statement_id: Annotated[UUID | None, Query(description="Only this statement's.")] = None,
    instruction_id: Annotated[
        UUID | None, Query(description="Only those about this payment.")
    ] = None,
) -> PageOf[DifferenceOut]:
    """What stands on one side only, or differs, the oldest first, each with its age, whose it is
    and what is to be done."""
    by = Filter(
        status=status,
        provider=provider,
        day=day,
        kind=kind,
        assigned_to=assigned_to,
        statement_id=statement_id,
        instruction_id=instruction_id,
    )
    return await service.list_page(session, page, by, clock=clock)


@router.get(
    "/{number}", summary="Get a difference", responses=problem_responses(401, 403, 404, 422)
)
async def get_difference(
    number: Number, _: PaymentsRead, session: Session, clock: ClockDependency
) -> DifferenceOut:
    """One difference, and how it came to its end where it has."""
    return await service.get(session, number, clock=clock)


@router.put(
    "/{number}/assignment",
    summary="Give a difference to a person",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def assign(
    number: Number,
    body: AssignmentIn,
    caller: StatementsWrite,
    session: Session,
    clock: ClockDependency,
) -> DifferenceOut:
    """Says who looks into it. It moves nothing."""
    return await service.assign(session, number, to=body.assigned_to, caller=caller, clock=clock)


@router.post(
    "/{number}/resolution",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose how a difference ends",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose(
    number: Number,
    body: DifferenceResolutionIn,
    caller: StatementsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
) -> Response:
    """Says what it was, with a reason; the posting is made when another person approves it, who
    did not send the statement."""
    return await once.reply(
        body,
        lambda: service.propose(session, steps, number, body, caller=caller, clock=clock),
        status_code=202,
    )
