"""Runs above their activation's ceiling, over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.held import service
from services.registry.held.schemas import HeldRunOut, LetThroughIn
from services.registry.scopes import EnrolmentsRead, RoundsRelease
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/held-runs", tags=["activations"])


@router.get("", summary="List runs that are held", responses=problem_responses(400, 401, 403, 422))
async def list_held_runs(
    _: EnrolmentsRead, session: Session, page: PageQuery, clock: ClockDependency
) -> PageOf[HeldRunOut]:
    """Worked out, and above what their activation may pay by itself: the oldest first."""
    return await service.list_page(session, page, clock=clock)


@router.post(
    "/{run_id}/release",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose again to let a held run through",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_release(
    run_id: UUID,
    given: LetThroughIn,
    caller: RoundsRelease,
    session: Session,
    clock: ClockDependency,
    once: Once,
    steps: TwoPersonSteps,
) -> Response:
    """For one whose proposal was declined or expired; the first is made by the registry itself."""
    return await once.reply(
        given,
        lambda: service.propose_again(
            session, steps, run_id, reason=given.reason, caller=caller, clock=clock
        ),
        status_code=202,
    )
