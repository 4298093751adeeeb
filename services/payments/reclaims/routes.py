"""Reclaims over HTTP: money that came back goes back to its fund."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.payments.listing import page_of_rows
from services.payments.reclaims import repository, service
from services.payments.reclaims.schemas import ReclaimIn, ReclaimItemOut, ReclaimOut
from services.payments.scopes import FundsRead, FundsWrite
from services.payments.settings import Settings
from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/reclaims", tags=["funds"])


@router.post(
    "",
    status_code=202,
    response_model=ApprovalOut,
    summary="Propose to give money that came back to its fund",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def propose_reclaim(
    body: ReclaimIn,
    caller: FundsWrite,
    session: Session,
    once: Once,
    steps: TwoPersonSteps,
    clock: ClockDependency,
    request: Request,
) -> Response:
    """Payments that were made and came back are owed to their households. What nobody claimed by
    a day, or single ones of them, go back to the fund once another person approves it, and can be
    promised anew."""
    settings: Settings = request.app.state.settings
    return await once.reply(
        body,
        lambda: service.propose(
            session,
            steps,
            body,
            claim_days=settings.return_claim_days,
            caller=caller,
            clock=clock,
        ),
        status_code=202,
    )


@router.get("", summary="List reclaims", responses=problem_responses(400, 401, 403, 422))
async def list_reclaims(_: FundsRead, session: Session, page: PageQuery) -> PageOf[ReclaimOut]:
    """Money that came back and went back to its fund, in the order of the proposals."""
    rows = await repository.list_reclaims(session, after=page.after(UUID), limit=page.fetch_limit)
    return page_of_rows(page, rows, ReclaimOut, key=lambda row: (row.id,))


@router.get(
    "/{reclaim_id}", summary="Get a reclaim", responses=problem_responses(401, 403, 404, 422)
)
async def get_reclaim(reclaim_id: UUID, _: FundsRead, session: Session) -> ReclaimOut:
    """How much went back to which fund, by whom and why."""
    return await service.get(session, reclaim_id)


@router.get(
    "/{reclaim_id}/items",
    summary="List a reclaim's payments",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_reclaim_items(
    reclaim_id: UUID, _: FundsRead, session: Session, page: PageQuery
) -> PageOf[ReclaimItemOut]:
    """Each payment whose money went back, in the order of the ids."""
    return await service.list_items(session, reclaim_id, page)
