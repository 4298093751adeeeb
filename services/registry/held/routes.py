"""Runs above their activation's ceiling, over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.held import service
from services.registry.held.schemas import HeldRunOut, LetThroughIn
from services.registry.scopes import EnrolmentsRead, RoundsRelease
from shared.approvals.proposing import PROPOSES, Proposing
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
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
    summary="Propose again to let a held run through",
    **PROPOSES,
)
async def propose_release(
    run_id: UUID,
    given: LetThroughIn,
    caller: RoundsRelease,
    proposing: Proposing,
) -> Response:
    """For one whose proposal was declined or expired; the first is made by the registry itself."""
    return await proposing.propose(service.propose_again, run_id, given=given, caller=caller)
