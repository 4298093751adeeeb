"""Where is my money: the payments of one entitlement, told step by step."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.payments.histories import service
from services.payments.histories.receipt import receipt
from services.payments.histories.schemas import HistoryOut
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pages import HEADERS, RESPONSES

router = APIRouter(prefix="/entitlements", tags=["histories"])


@router.get(
    "/{entitlement_id}/history",
    summary="Tell where an entitlement's money is",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_history(entitlement_id: UUID, caller: PaymentsRead, session: Session) -> HistoryOut:
    """Every attempt to pay it, with the time of each step and its reason in words, English and
    Khmer. The registry lists the entitlements of a household."""
    return await service.history_of(session, entitlement_id, bound=caller.areas)


@router.get(
    "/{entitlement_id}/receipt",
    summary="Print the receipt of a payment",
    response_class=HTMLResponse,
    responses={**RESPONSES, **problem_responses(401, 403, 404, 409, 422)},
    openapi_extra=narrowed(),
)
async def get_receipt(entitlement_id: UUID, caller: PaymentsRead, session: Session) -> HTMLResponse:
    """What was paid, when, by whom and under which reference, without a name, to be printed."""
    return HTMLResponse(
        receipt(await service.history_of(session, entitlement_id, bound=caller.areas)),
        headers=HEADERS,
    )
